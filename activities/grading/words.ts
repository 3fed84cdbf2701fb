/** The closed vocabularies of answers: functions, units, scales and the LaTeX commands that only change how things look. */

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '))

/** Functions of one argument, and the constants that plain text spells out. */
export const functionNames = set(
  'sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp sqrt pi',
)

/** Functions whose argument is an angle. */
export const trigonometric = set('sin cos tan cot sec csc')

export const unitNames = set(
  'unit units square cubic sq cu inch inches in foot feet ft yard yards yd mile miles mi meter meters metre metres cm mm km ' +
    'centimeter centimeters centimetre centimetres millimeter millimeters kilometer kilometers kilometre kilometres ' +
    'second seconds sec minute minutes min hour hours day days week weeks month months year years dollar dollars cent cents ' +
    'degree degrees deg gram grams kg mg kilogram kilograms pound pounds lb lbs ounce ounces oz liter liters litre litres ml ' +
    'mph kph per of hr hrs am pm ways way people person students student point points radian radians rad euro euros yuan',
)

/** One letter that is a unit where it stands as text right after a number: 5\text{ m}. */
export const unitSymbols = set('m s g h l L J N V W A C K F')

/** Words that multiply the number before them, as powers of ten. */
export const scales: Readonly<Record<string, number>> = {
  thousand: 3,
  million: 6,
  billion: 9,
  trillion: 12,
}

/** Commands whose content is words. */
export const textCommands = set('text textbf textit textrm textsc mbox mathrm hbox')

/** Commands that only change how their argument looks: dropped, and the argument read as mathematics. */
export const transparentCommands = set(
  'mathbf boldsymbol bm mathit mathsf mathcal mathbb vec boxed fbox operatorname displaystyle textstyle scriptstyle limits',
)
