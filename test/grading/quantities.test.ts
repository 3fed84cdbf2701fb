/** A quantity and its value, beside the value; equations that are answers themselves have none. */
import { expect, it } from 'vitest'
import { equivalent } from '../../activities/grading/index.ts'

it.each([
  ['P(A \\mid B) = \\frac27', 'a probability'],
  ['P(X \\ge 3) = 2/7', 'of an inequality'],
  ['P(X = 3) = 2/7', 'of an equation'],
  ["f'(2) = \\frac{2}{7}", 'a derivative at a place'],
  ['f(-1) = \\frac27', 'a function at a place'],
  ['\\tan A = \\frac27', 'a tangent'],
  ['\\cos\\angle PQR = \\frac27', 'the cosine of an angle'],
  ['\\sin^2\\theta = \\frac27', 'its square'],
  ['\\frac{PQ}{PR} = \\frac27', 'a ratio of lengths'],
  ['a/b = \\frac27', 'a ratio of names'],
  ['\\lim_{n\\to\\infty} a_n = \\frac27', 'a limit'],
  ['\\int_0^1 g(t)\\,dt = \\frac{2}{7}', 'an integral'],
  ['\\sum_{k=1}^{\\infty} b_k = \\frac27', 'a sum'],
])('%j gives 2/7, and neither 3/7 nor -2/7: %s', (answer) => {
  expect(equivalent('\\frac27', answer)).toBe(true)
  expect(equivalent(answer, '\\frac27')).toBe(true)
  expect(equivalent('\\frac37', answer)).toBe(false)
  expect(equivalent('-\\frac27', answer)).toBe(false)
})

it.each([
  ['x+y = 9', '9', 'a sum'],
  ['3x+4y = 9', '9', 'a line'],
  ['t^2 = 9', '9', 'a square'],
  ['x^2+y^2 = 9', '9', 'a circle'],
  ['\\sin x = \\frac12', '\\frac12', 'an equation in x'],
  ['\\frac{y}{x} = 9', '9', 'a line through 0'],
  ['a/b = c/d', 'c/d', 'a proportion'],
  ['\\tan A = \\frac{a}{b}', '\\frac{a}{b}', 'a law'],
  ['f(-1) = 9', 'f(1) = 9', 'two places'],
  ['P(A) = 9', 'P(B) = 9', 'two events'],
])('%j is not %j: %s', (gold, answer) => {
  expect(equivalent(gold, answer)).toBe(false)
  expect(equivalent(answer, gold)).toBe(false)
})
