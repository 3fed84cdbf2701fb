/** Complex arithmetic on doubles, principal branches: for answers with i, or with real values only by way of complex ones. */
export interface Complex {
  readonly re: number
  readonly im: number
}

export const real = (re: number): Complex => ({ re, im: 0 })

export const plus = (a: Complex, b: Complex): Complex => ({ re: a.re + b.re, im: a.im + b.im })

export function times(a: Complex, b: Complex): Complex {
  return { re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re }
}

export function over(a: Complex, b: Complex): Complex {
  const size = b.re * b.re + b.im * b.im
  return { re: (a.re * b.re + a.im * b.im) / size, im: (a.im * b.re - a.re * b.im) / size }
}

export const modulus = ({ re, im }: Complex) => Math.hypot(re, im)

export function exp({ re, im }: Complex): Complex {
  const size = Math.exp(re)
  return { re: size * Math.cos(im), im: size * Math.sin(im) }
}

export const log = (z: Complex): Complex => ({ re: Math.log(modulus(z)), im: Math.atan2(z.im, z.re) })

/** z^w; whole powers by multiplication, which keeps real values real. */
export function power(z: Complex, w: Complex): Complex {
  if (w.im === 0 && Number.isInteger(w.re) && Math.abs(w.re) <= 64) {
    let product = real(1)
    for (let i = 0; i < Math.abs(w.re); i++) product = times(product, z)
    return w.re < 0 ? over(real(1), product) : product
  }
  if (z.re === 0 && z.im === 0) return real(w.re > 0 ? 0 : NaN)
  return exp(times(w, log(z)))
}

const rotate = (z: Complex): Complex => ({ re: -z.im, im: z.re }) // i z

/** sin z = (e^{iz} - e^{-iz}) / 2i */
export function sin(z: Complex): Complex {
  const turned = rotate(z)
  const [a, b] = [exp(turned), exp({ re: -turned.re, im: -turned.im })]
  return over({ re: a.re - b.re, im: a.im - b.im }, { re: 0, im: 2 })
}

/** cos z = (e^{iz} + e^{-iz}) / 2 */
export function cos(z: Complex): Complex {
  const turned = rotate(z)
  const [a, b] = [exp(turned), exp({ re: -turned.re, im: -turned.im })]
  return { re: (a.re + b.re) / 2, im: (a.im + b.im) / 2 }
}
