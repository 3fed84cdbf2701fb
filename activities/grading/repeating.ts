/**
 * Decimals that go on for ever, in one spelling: 0.(3), 0.333…, 0.\dot{1}4285\dot{7}, 0.\bar3 and "0.3 repeating" as
 * 0.\overline{3}, which the parser reads.
 *
 * Digits before dots are a repetition where they end in a run of digits twice over; other decimals before dots are cut off
 * there and stay what they say.
 */

const likely = /\.{3}|[…\u0304\u0305\u0307]|\.\d*\(\d|dots|\\(?:dot|bar|overset|overline)|r(?:epeat|ecurr)ing/

const dot =
  '\\{?\\s*\\\\(?:dot|overset\\s*\\{\\s*(?:\\\\(?:cdot|bullet|circ)|[.·•∙])\\s*\\})\\s*\\{?\\s*(\\d)\\s*\\}?(?:\\s*\\})?'
const line =
  '\\{?\\s*\\\\(?:overline|bar|overset\\s*\\{\\s*(?:[-_—–]|\\\\_)\\s*\\})\\s*(?:\\{\\s*(\\d+)\\s*\\}|(\\d))'
const dotted = new RegExp(`(\\.\\d*)\\s*${dot}(?:([\\d\\s]*)${dot})?`, 'g')
const lined = new RegExp(`(\\.\\d*)\\s*${line}\\}?`, 'g')
const parenthesised = /(\.\d{0,40})\((\d{1,40})\)(?=\s*(?:$|[,;)\]}%$]|\\[%)\],; ]|\\text))/g
const dots = '(?:\\\\[lc]?dots[cbm]?(?![a-zA-Z])|\\.{3,}|…)'
const elliptic = new RegExp(`(\\.\\d{1,60})(?:\\s|\\\\[,; ])*(?:\\(\\s*${dots}\\s*\\)|${dots})`, 'g')
const spelled = /(\.\d{1,60})\s*(?:\\text\{)?\s*\(?\s*(?:repeating|recurring)\s*\)?\s*\}?/g
const combining = /(\.\d*?)(\d[\u0304\u0305\u0307](?:\d*[\u0304\u0305\u0307])*)/g

/** The text with its repeating decimals as \overline. */
export function repeating(text: string): string {
  if (!likely.test(text)) return text
  return text
    .replace(combining, (_, before: string, digits: string) => {
      const line = !digits.includes('\u0307')
      const period = digits.replace(/[\u0304\u0305\u0307]/g, '')
      return line || digits.endsWith('\u0307') ? `${before}\\overline{${period}}` : before + period
    })
    .replace(
      dotted,
      (_, before: string, first: string, middle = '', last = '') =>
        `${before}\\overline{${(first + middle + last).replace(/\s/g, '')}}`,
    )
    .replace(lined, (_, before: string, many?: string, one?: string) => `${before}\\overline{${many ?? one}}`)
    .replace(parenthesised, '$1\\overline{$2}')
    .replace(elliptic, (whole, decimals: string) => periodic(decimals) ?? whole)
    .replace(
      spelled,
      (whole, decimals: string) =>
        periodic(decimals) ?? (decimals.length === 2 ? `.\\overline{${decimals.slice(1)}}` : whole),
    )
}

/** .1666 as .1\overline{6}, where the digits end in one run of them at least twice, the shortest such run; else null. */
function periodic(decimals: string): string | null {
  const digits = decimals.slice(1)
  for (let length = 1; 2 * length <= digits.length; length++) {
    const period = digits.slice(-length)
    // From the end as far back as the digits agree with those a period later.
    let start = digits.length - length
    while (start > 0 && digits[start - 1] === digits[start - 1 + length]) start--
    if (digits.length - start < 2 * length) continue
    const turn = (digits.length - start) % length
    return `.${digits.slice(0, start)}\\overline{${turn === 0 ? period : digits.slice(start, start + length)}}`
  }
  return null
}
