/**
 * The few names that verification files refer to, each understood as data: text made into bytes by Python 3 in an old
 * protocol, and numpy's arrays of bytes. They are names to the reader, never functions; any other is refused.
 * @module
 */
import { FacexError } from '../errors.js'
import { PickleObject, type PickleContext, type PickleGlobal } from '../pickle/unpickle.js'

/** A numpy array of bytes; `content` comes with BUILD, after the array itself. */
export class ByteArray extends PickleObject {
  content: Buffer = Buffer.alloc(0)

  setState(state: unknown): void {
    const [, , type, , content] = Array.isArray(state) ? (state as unknown[]) : []
    const isBytes = type instanceof ElementType && /^\|?[uiS]1?$/.test(type.code) && Buffer.isBuffer(content)
    if (!isBytes) throw new FacexError('ERR_DATA', 'pickle: expected an array of bytes')
    this.content = content
  }
}

/** The type of a numpy array's elements, by numpy's code: u1, b1, ... Its byte order does not matter to bytes. */
class ElementType extends PickleObject {
  constructor(readonly code: string) {
    super()
  }

  setState(): void {}
}

/** What a call stands for by its arguments; undefined where such a call is not allowed. */
type Meaning = (args: readonly unknown[]) => unknown

const truth: Meaning = ([type, bytes]) => (type instanceof ElementType && type.code === 'b1' && Buffer.isBuffer(bytes) ? bytes[0] !== 0 : undefined)
/** numpy 2 moved its core; Python 2 wrote text as bytes. */
const CALLS: readonly (readonly [string, Meaning])[] = [
  ['_codecs.encode', ([text, encoding]) => (typeof text === 'string' && String(encoding) === 'latin1' ? Buffer.from(text, 'latin1') : undefined)],
  ['numpy.dtype', ([code]) => (typeof code === 'string' || Buffer.isBuffer(code) ? new ElementType(code.toString()) : undefined)],
  ['numpy.core.multiarray._reconstruct', () => new ByteArray()],
  ['numpy._core.multiarray._reconstruct', () => new ByteArray()],
  ['numpy.core.multiarray.scalar', truth],
  ['numpy._core.multiarray.scalar', truth],
]

const GLOBALS = new Map<string, PickleGlobal>([
  ...CALLS.map(([name, meaning]) => [name, { name, call: (args: readonly unknown[]) => meaning(args) ?? refuse(name) }] as const),
  ['numpy.ndarray', { name: 'numpy.ndarray' }],
])

function refuse(name: string): never {
  throw new FacexError('ERR_DATA', `pickle: a call of ${name} that is not allowed in a verification file`)
}

/** How verification files are read. */
export const BIN_PICKLE: PickleContext = { code: 'ERR_DATA', find: (name) => GLOBALS.get(name), oldString: (bytes) => bytes }
