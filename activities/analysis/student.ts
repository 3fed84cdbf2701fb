/**
 * Quantiles of Student's t for any positive number of degrees of freedom.
 *
 * Source: the regularised incomplete beta function by Lentz's continued fraction (NIST DLMF 8.17.22), log Γ by
 * Lanczos (g = 7, 9 terms); inverted by bisection, which cannot diverge. Accurate to about 1e-10, checked against
 * printed tables. Only two-sided 95% is used here, so nothing is tuned for extreme tails.
 */

/** The standard normal's 97.5% point: a 95% interval reaches this many standard errors to each side. */
export const normal95 = 1.959963984540054

/** t with P(|T| <= t) = 0.95 at `freedom` degrees of freedom (> 0); the normal's for an infinite number. */
export function student95(freedom: number): number {
  if (!(freedom > 0)) throw new RangeError(`student95: degrees of freedom, expected > 0, found ${freedom}`)
  if (freedom > 1e7) return normal95
  // P(|T| > t) = I_x(freedom / 2, 1/2) at x = freedom / (freedom + t²): falls as t grows.
  const outside = (t: number) => incompleteBeta(freedom / (freedom + t * t), freedom / 2, 0.5)
  let [low, high] = [0, 2]
  while (outside(high) > 0.05) high *= 2
  for (let halving = 0; halving < 80; halving++) {
    const middle = (low + high) / 2
    if (outside(middle) > 0.05) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** I_x(a, b), the share of a beta(a, b) distribution below x. */
function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x))
  // The fraction converges fast only below the mean; above it, I_x(a, b) = 1 - I_{1-x}(b, a).
  return x < (a + 1) / (a + b + 2)
    ? (front * betaFraction(x, a, b)) / a
    : 1 - (front * betaFraction(1 - x, b, a)) / b
}

function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300 // Lentz: keeps a vanishing denominator from dividing by zero
  const away = (v: number) => (Math.abs(v) < tiny ? tiny : v)
  let c = 1
  let d = 1 / away(1 - ((a + b) * x) / (a + 1))
  let sum = d
  for (let m = 1; m <= 500; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / away(1 + even * d)
    c = away(1 + even / c)
    sum *= d * c
    d = 1 / away(1 + odd * d)
    c = away(1 + odd / c)
    sum *= d * c
    if (Math.abs(d * c - 1) < 1e-15) break
  }
  return sum
}

const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
]

/** log Γ(x) for x > 0. */
function logGamma(x: number): number {
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  const series = lanczos.reduce((sum, term, i) => (i === 0 ? term : sum + term / (x - 1 + i)), 0)
  const t = x + 6.5 // x - 1 + g + 1/2
  return 0.5 * Math.log(2 * Math.PI) + (x - 0.5) * Math.log(t) - t + Math.log(series)
}
