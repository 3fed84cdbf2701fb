/**
 * Colours of the arms: fixed by name, so that an arm looks the same in every figure of every report.
 *
 * Okabe and Ito's colour-blind safe set (jfly.uni-koeln.de/color, 2008), lightened where a dark page needs it; null
 * is grey and dashed. Figures use CSS variables, so one SVG serves light, dark and paper. Arms without a colour of
 * their own take what is left, then start again with a dash.
 */
import { armsInOrder } from '../analysis/effects.ts'

/** Hue: [on light, on dark]. */
const hues = {
  grey: ['#7a7a7a', '#9a9a9a'],
  blue: ['#0072b2', '#4aa8e0'],
  vermilion: ['#d55e00', '#f0803c'],
  green: ['#009e73', '#2fc59a'],
  purple: ['#b8578c', '#dd8fb9'],
  sky: ['#3d9bd1', '#8ccbf2'],
  amber: ['#c98a00', '#eeb53c'],
  ink: ['#1f2328', '#e6e6e6'],
} as const
type Hue = keyof typeof hues

const fixed: Readonly<Record<string, Hue>> = {
  null: 'grey',
  'ground-truth': 'blue',
  random: 'vermilion',
  format: 'green',
  incorrect: 'purple',
  majority: 'sky',
  python: 'amber',
  'no-repetition': 'ink',
}

/** An arm may be called `constructor`, which every object has. */
const ownHue = (arm: string): Hue | undefined => (Object.hasOwn(fixed, arm) ? fixed[arm] : undefined)

export interface Look {
  /** A CSS value, valid wherever `paletteCss` is. */
  readonly colour: string
  /** SVG dash lengths; [1, 0] is a solid line. */
  readonly dash: readonly number[]
}

/** A look for every arm, in the order of tables and legends. */
export function looks(arms: readonly string[]): ReadonlyMap<string, Look> {
  const ordered = armsInOrder(arms)
  const taken = new Set(ordered.map(ownHue))
  const free = (Object.keys(hues) as Hue[]).filter((hue) => hue !== 'grey' && !taken.has(hue))
  const all = (Object.keys(hues) as Hue[]).filter((hue) => hue !== 'grey')
  let next = 0
  return new Map(
    ordered.map((arm) => {
      const own = ownHue(arm)
      const place = own === undefined ? next++ : 0
      const hue = own ?? free[place] ?? all[place % all.length] ?? 'ink'
      const solid = own === undefined ? place < free.length : own !== 'grey'
      return [arm, { colour: `var(--${hue})`, dash: solid ? [1, 0] : [5, 4] }]
    }),
  )
}

const variables = (tone: 0 | 1) =>
  Object.entries(hues)
    .map(([hue, tones]) => `--${hue}:${tones[tone]}`)
    .join(';')

/** The variables on a light page and on a dark one. */
export const paletteCss = { light: variables(0), dark: variables(1) }
