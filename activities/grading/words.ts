/** The closed vocabularies of answers: functions, units, scales and the LaTeX commands that only change how things look. */

const set = (words: string): ReadonlySet<string> => new Set(words.split(' '))

/** Signs and commands between two sides, as the operators of relations. */
export const relations: ReadonlyMap<string, string> = new Map([
  ['=', '='],
  ['<', '<'],
  ['>', '>'],
  ['le', '≤'],
  ['ge', '≥'],
  ['ne', '≠'],
  ['neq', '≠'],
  ['in', '∈'],
  ['approx', '≈'],
  ['equiv', '='],
  ['lt', '<'],
  ['gt', '>'],
  ['to', '→'],
  ['rightarrow', '→'],
  ['longrightarrow', '→'],
  ['leftarrow', '←'],
  ['gets', '←'],
  ['longleftarrow', '←'],
  ['mapsto', '↦'],
  ['longmapsto', '↦'],
  ['Rightarrow', '⇒'],
  ['Longrightarrow', '⇒'],
  ['implies', '⇒'],
  ['Leftarrow', '⇐'],
  ['Longleftarrow', '⇐'],
  ['impliedby', '⇐'],
  ['Leftrightarrow', '⇔'],
  ['Longleftrightarrow', '⇔'],
  ['iff', '⇔'],
  ['notin', '∉'],
  ['ni', '∋'],
  ['subset', '⊂'],
  ['supset', '⊃'],
  ['subseteq', '⊆'],
  ['supseteq', '⊇'],
])

/** Functions of one argument, and the constants that plain text spells out. */
export const functionNames = set(
  'sin cos tan cot sec csc arcsin arccos arctan arccot arcsec arccsc sinh cosh tanh coth sech csch ' +
    'arcsinh arccosh arctanh arccoth arcsech arccsch log ln lg exp sqrt cbrt pi ' +
    'floor ceil abs max min gcd lcm',
)

/** Names of programs and of other schools for functions: asin, arsinh, cosec. */
export const functionAliases: ReadonlyMap<string, string> = new Map([
  ...['sin', 'cos', 'tan', 'cot', 'sec', 'csc'].flatMap((name): [string, string][] => [
    [`a${name}`, `arc${name}`],
    [`a${name}h`, `arc${name}h`],
    [`ar${name}h`, `arc${name}h`],
  ]),
  ['cosec', 'csc'],
  ['cosech', 'csch'],
  ['arccosec', 'arccsc'],
])

/** The same where only a command is a function: tg is otherwise t times g. */
export const commandAliases: ReadonlyMap<string, string> = new Map([
  ...functionAliases,
  ['tg', 'tan'],
  ['ctg', 'cot'],
  ['arctg', 'arctan'],
  ['arcctg', 'arccot'],
])

/** A function after one or two factors, as in xln(x). */
export const gluedFunction = /^([a-zA-Z]{1,2})((?:arc)?(?:sin|cos|tan|cot|sec|csc)h?|ln|log|lg|exp)$/

/** Functions of several arguments in any order. */
export const symmetric = set('max min gcd lcm')

/** Functions whose inverse f^{-1} writes. */
export const hyperbolic = set('sinh cosh tanh coth sech csch')

/** Small numbers as words. */
export const numberWords: ReadonlyMap<string, bigint> = new Map(
  'zero one two three four five six seven eight nine ten eleven twelve'
    .split(' ')
    .map((word, i) => [word, BigInt(i)] as const),
)

/** Functions whose argument is an angle. */
export const trigonometric = set('sin cos tan cot sec csc')

export const unitNames = set(
  'unit units square cubic sq cu inch inches in foot feet ft yard yards yd mile miles mi meter meters metre metres cm mm km ' +
    'centimeter centimeters centimetre centimetres millimeter millimeters kilometer kilometers kilometre kilometres ' +
    'second seconds sec minute minutes min hour hours day days week weeks month months year years dollar dollars cent cents ' +
    'degree degrees deg gram grams kg mg kilogram kilograms pound pounds lb lbs ounce ounces oz liter liters litre litres ml ' +
    'mph kph kmh kmph rpm per of hr hrs yr yrs min mins secs am pm ways way people person students student point points ' +
    'radian radians rad euro euros yuan yen rupee rupees peso pesos won rouble roubles ruble rubles franc francs pence penny ' +
    'pts nm kPa pa hpa atm mol moles hz khz mhz ghz kw mw kwh kj mj ev kev mev newton newtons joule joules watt watts volt ' +
    'volts kelvin celsius fahrenheit ohm ohms lbs tons ton tonnes dozen times rs',
)

/** Currencies where they stand before or after a number, as banks write them. */
export const currencyCodes = set(
  'USD EUR GBP JPY CNY RMB INR CAD AUD NZD CHF HKD SGD KRW RUB BRL MXN ZAR Rs RM US AU',
)

/** Words that say more than what is counted: what they stand beside is not the number alone. */
export const qualifier =
  /(?<![\p{L}])(?:not|no|except|unless|without|other than|(?:more|less|fewer|greater|larger|smaller|bigger) than|at (?:least|most))(?![\p{L}])|[不非无無没未]|至少|至多|最多|最少|大于|小于|超过|多于|少于|高于|低于|不到|一半|以上|以下/iu

/** One letter that is a unit where it stands as text right after a number: 5\text{ m}. */
export const unitSymbols = set('m s g h l L J N V W A C K F')

/** Symbols of units with their prefixes, where they stand apart at an answer's end: 5 m/s^2. */
const symbol =
  '(?:[munpkcdhMGμ]?(?:m|s|g|N|J|W|V|A|K|C|F|T|H|L|l|h|b|B|eV|Pa|Hz|Wb|mol|bar|rad|sr)|min|hr|day|ft|in|lb|°[CF]|[munkMGμ]?\\s*(?:Ω|\\\\Omega))'
const raised = '(?:\\s*\\^\\s*(?:\\{\\s*-?\\d\\s*\\}|-?\\d))?'
const joined = '(?:\\s*(?:/|·|\\*|\\\\cdot|\\\\times|\\\\[,;: ]|[ ~])\\s*)'
const apart = '(?:[\\s~]|\\\\[,;: ])'

/** 5 m, 5\,m/s, 5m/s^2: a number, then symbols after a space, or a quotient of symbols. */
export const unitsAtEnd = new RegExp(
  `(?<=[\\d})])(?:${apart}+${symbol}${raised}(?:${joined}${symbol}${raised})*|\\s*\\\\Omega|${symbol}${raised}\\s*/\\s*${symbol}${raised})\\s*\\$?\\.?$`,
)

/** Words that multiply the number before them, as powers of ten. */
export const scales: ReadonlyMap<string, number> = new Map([
  ['hundred', 2],
  ['thousand', 3],
  ['lakh', 5],
  ['million', 6],
  ['crore', 7],
  ['billion', 9],
  ['trillion', 12],
])

/** Commands whose content is words. */
export const textCommands = set('text textbf textit textrm textsc mbox mathrm hbox')

/** Commands that only change how their argument looks: dropped, and the argument read as mathematics. */
export const transparentCommands = set(
  'mathbf boldsymbol bm mathit mathsf mathcal mathbb vec boxed fbox operatorname displaystyle textstyle scriptstyle limits',
)
