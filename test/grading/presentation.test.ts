/** What only changes how an answer looks, one row a macro: as a string, and by the verdict. */
import { describe, expect, it } from 'vitest'
import { operations } from '../../activities/grading/budget.ts'
import { equivalent } from '../../activities/grading/index.ts'
import { seeThrough } from '../../activities/grading/presentation.ts'
import { repeating } from '../../activities/grading/repeating.ts'

describe('an answer', () => {
  it.each<[answer: string, shown: string, why: string]>([
    ['\\textcolor{red}{6}', '{6}', 'a colour takes an argument of its own'],
    ['{\\color{blue}5}', '{5}', 'a colour that is a switch'],
    ['\\color[rgb]{1,0,0}6', '6', 'a colour by a model'],
    ['\\fcolorbox{red}{white}{6}', '{6}', 'two arguments of its own'],
    ['\\framebox[2cm][c]{6}', '{6}', 'options'],
    ['\\bf [x]', ' [x]', 'brackets after a switch are the answer'],
    ['\\underline{6}', '{6}', 'a line'],
    ['6\\tag{1}', '6', 'a tag'],
    ['6 \\checkmark', '6 ', 'a mark at the end'],
    ['\\phantom{1}6', '6', 'what is not printed'],
    ['\\textnormal{six}', '\\text{six}', 'words in another font'],
    ['\\underbrace{1+1}_{2}+3', '{1+1}+3', 'a note under a brace'],
    ['\\alpha\\color{red}x', '\\alpha x', 'names stay apart'],
    ['\\SI{5}{\\metre}', '{5}', 'a measured number'],
    ['5{\\rm cm}', '5\\text{cm}', 'upright words'],
    ['\\kern3pt 6', '  6', 'a length'],
    ['\\begin{aligned}\\frac12\\end{aligned}', '\\frac12', 'an alignment of one line'],
    ['\\begin{align*} x &= 3+4 \\\\ &= 7 \\end{align*}', 'x  = 3+4 = 7', 'a line that goes on'],
    ['\\begin{cases} x=1\\\\y=2\\end{cases}', 'x=1, y=2', 'a system is a list'],
    ['\\textcolor{red', '', 'an argument that does not end'],
    ['\\frac{1}{2}', '\\frac{1}{2}', 'mathematics stays'],
  ])('%j is %j: %s', (answer, shown) => {
    expect(seeThrough(answer)).toBe(shown)
  })

  it('is read once, however many macros stand in it', () => {
    const text = '\\color{'.repeat(280)
    expect(operations(() => seeThrough(text))).toBeLessThanOrEqual(text.length)
  })

  it.each(
    (
      '\\textcolor{red}{#} {\\color{blue}#} \\underline{#} \\large{#} {\\bf{#}} \\hbox{#} \\colorbox{red}{#} \\framebox{#} ' +
      '#\\tag{1} #\\checkmark \\phantom{1}# \\begin{aligned}#\\end{aligned} \\textnormal{#} \\texttt{#} \\mathfrak{#} ' +
      '\\scalebox{2}{#} \\boxed{\\boxed{#}} \\stackrel{}{#} \\ensuremath{#} \\displaystyle{#} #\\quad\\blacksquare \\Huge{\\textbf{#}}'
    ).split(' '),
  )('stays what it is as %s', (presentation) => {
    const shown = (answer: string) => presentation.replace('#', () => answer)
    expect(equivalent('6', shown('6'))).toBe(true)
    expect(equivalent('6', shown('7'))).toBe(false)
  })
})

describe('a decimal that goes on', () => {
  it.each<[written: string, spelled: string, why: string]>([
    ['0.(3)', '0.\\overline{3}', 'parentheses'],
    ['0.1(6)', '0.1\\overline{6}', 'digits before the period'],
    ['0.5(20)(3)', '0.5(20)(3)', 'a product'],
    ['0.333…', '0.\\overline{3}', 'dots'],
    ['0.1666...', '0.1\\overline{6}', 'dots after digits before the period'],
    ['0.142857142857\\ldots', '0.\\overline{142857}', 'a long period, twice'],
    ['3.14159...', '3.14159...', 'no period'],
    ['0.\\dot{1}4285\\dot{7}', '0.\\overline{142857}', 'dots over the first digit and the last'],
    ['0.\\overset{\\cdot}{3}', '0.\\overline{3}', 'a dot set over a digit'],
    ['0.\\bar3', '0.\\overline{3}', 'a bar'],
    ['0.3\u0305', '0.\\overline{3}', 'a combining line'],
    ['0.3 repeating', '0.\\overline{3}', 'the word'],
  ])('%j is %j: %s', (written, spelled) => {
    expect(repeating(written)).toBe(spelled)
  })
})
