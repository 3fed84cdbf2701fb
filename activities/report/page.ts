/**
 * The page around the report: escaped templates and one style sheet.
 *
 * Whatever is put into a template is text and gets escaped, unless it came out of a template itself. The page has no
 * script, loads nothing, and a content security policy makes the browser hold it to that. Light, dark and paper are
 * the same markup under other variables.
 */
import { paletteCss } from './palette.ts'

/** Markup that is safe to insert: made by `html`, or by this program's own figures. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}
export type Part = Markup | string | number | null | readonly Part[]

/** Template tag: `html\`<td>${anything}</td>\``; strings and numbers are escaped, lists joined, null left out. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.map((text, i) => text + render(parts[i] ?? null)).join(''))
}

function render(part: Part): string {
  if (part === null) return ''
  if (part instanceof Markup) return part.text
  if (typeof part === 'object') return part.map(render).join('')
  return escape(String(part))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escape = (text: string) => text.replace(/[&<>"']/g, (mark) => entities[mark] ?? '')

/** The whole document. */
export function page(title: string, body: Markup): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title}</title>
        <style>
          ${new Markup(css)}
        </style>
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html> `.text
}

const light = `--page:#fff;--panel:#f6f7f8;--text:#1f2328;--muted:#5d6670;--rule:#c9ced4;--grid:#e8eaed;${paletteCss.light}`
const dark = `--page:#14171a;--panel:#1c2024;--text:#e6e6e6;--muted:#9aa4ae;--rule:#444b52;--grid:#2a2f34;${paletteCss.dark}`

const css = `
:root{color-scheme:light dark;${light}}
@media (prefers-color-scheme:dark){:root{${dark}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:15px/1.55 system-ui,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1040px;margin:0 auto;padding:40px 24px 64px}
header{margin-bottom:36px}
.eyebrow{margin:0;color:var(--muted);font-size:13px;letter-spacing:.04em}
h1{margin:2px 0 10px;font-size:30px;line-height:1.2;font-weight:650;overflow-wrap:anywhere}
h2{margin:52px 0 4px;font-size:20px;line-height:1.3;font-weight:650}
h3{margin:28px 0 8px;font-size:14px;font-weight:600}
p{margin:0 0 12px;max-width:74ch}
.note{color:var(--muted);font-size:13.5px}
.small{font-size:13px}
.facts{display:flex;flex-wrap:wrap;gap:6px 28px;margin:14px 0 0;padding:0;list-style:none;color:var(--muted);font-size:14px}
.facts b{color:var(--text);font-weight:600}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,290px),1fr));gap:16px;margin:18px 0 26px}
.card{background:var(--panel);border-radius:10px;padding:18px 20px 16px}
.card h3{margin:0 0 6px;overflow-wrap:anywhere}
.card .big{font-size:38px;line-height:1.1;font-weight:650;letter-spacing:-.02em;white-space:nowrap}
.card .range{font-size:15px;color:var(--muted);font-weight:400;letter-spacing:0;margin-left:8px}
.card p{margin:4px 0 0;font-size:14px}
.card p.note{margin-top:10px}
a{color:inherit}
.nowrap{white-space:nowrap}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
th.model{padding:20px 0 6px;font-size:14px;font-weight:600;color:var(--text);text-align:left;overflow-wrap:anywhere}
.wide+.note{margin-top:12px}
.panels+.wide{margin-top:22px}
th{font-weight:500;color:var(--muted);font-size:12.5px;text-align:right;vertical-align:bottom;padding:4px 0 6px 14px;border-bottom:1px solid var(--rule)}
td{text-align:right;padding:8px 0 7px 14px;border-bottom:1px solid var(--grid);vertical-align:top;white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0}
th.text,td.text{text-align:left}
td.text{white-space:normal;overflow-wrap:anywhere}
td .range{display:block;font-size:12px;color:var(--muted)}
td .clear{font-weight:650}
td.none{color:var(--muted)}
.swatch{display:inline-block;width:18px;height:0;border-top:3px solid;margin-right:8px;vertical-align:middle;border-radius:2px}
.swatch.dashed{border-top-style:dashed;border-radius:0}
.legend{display:flex;flex-wrap:wrap;gap:4px 20px;margin:8px 0 12px;padding:0;list-style:none;font-size:13.5px}
.panels{display:grid;gap:20px 28px;grid-template-columns:repeat(auto-fit,minmax(min(100%,400px),1fr))}
.panels.three{grid-template-columns:repeat(auto-fit,minmax(min(100%,280px),1fr));gap:14px 22px}
figure{margin:0;max-width:640px}
.three figure{max-width:400px}
svg{display:block;width:100%;height:auto}
code,.mono{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:10px 0 18px;font-size:14px}
dt{color:var(--muted)}
dd{margin:0;overflow-wrap:anywhere}
.runs{font-size:12.5px}
.runs td{padding-top:4px;padding-bottom:4px}
footer{margin-top:48px;color:var(--muted);font-size:13px}
@media (max-width:760px){main{padding:24px 16px 48px}th,td{padding-left:7px}table{font-size:13px}h1{font-size:25px}.runs{font-size:11.5px}.runs code{font-size:11px}}
@media print{:root{color-scheme:light;${light}}body{font-size:10.5pt}main{max-width:none;padding:0}h2,h3,.note,.legend,thead{break-after:avoid}h2{margin-top:32px}.panels{grid-template-columns:1fr 1fr}.panels.three{grid-template-columns:1fr 1fr 1fr}td,.note,.card p,.legend{font-size:9pt}th{font-size:8.5pt}.runs td,td .range,.runs code{font-size:7.5pt}th,td{padding-left:6px}figure,.card,tr{break-inside:avoid}.wide{overflow:visible}@page{margin:16mm}}
`
