/**
 * What a pickle may hold, and the few names that verification files refer to. Each name is understood as data: text made
 * into bytes by Python 3 in an old protocol, and numpy's arrays of bytes. They are names to this reader, never functions.
 * @module
 */
import { FacexError } from '../errors.js'

export type Pickled = Buffer | string | number | boolean | null | ByteArray | ElementType | PickledName | Pickled[]

/** A numpy array of bytes; `content` comes with BUILD, after the array itself. */
export class ByteArray {
  content: Buffer = Buffer.alloc(0)
}

/** The type of a numpy array's elements, by numpy's code: u1, b1, ... */
export class ElementType {
  constructor(readonly code: string) {}
}

export class PickledName {
  constructor(readonly name: string) {}
}

const KNOWN: ReadonlyMap<string, (args: readonly Pickled[]) => Pickled | undefined> = new Map([
  ['_codecs.encode', ([text, encoding]: readonly Pickled[]) => (typeof text === 'string' && encoding === 'latin1' ? Buffer.from(text, 'latin1') : undefined)],
  ['numpy.ndarray', () => undefined],
  ['numpy.dtype', ([code]: readonly Pickled[]) => (isText(code) ? new ElementType(code.toString()) : undefined)],
  // numpy 2 moved its core.
  ...['numpy.core', 'numpy._core'].flatMap((core): [string, (args: readonly Pickled[]) => Pickled | undefined][] => [
    [`${core}.multiarray._reconstruct`, () => new ByteArray()],
    [`${core}.multiarray.scalar`, ([type, bytes]) => (type instanceof ElementType && type.code === 'b1' && Buffer.isBuffer(bytes) ? bytes[0] !== 0 : undefined)],
  ]),
])

/** Python 2 wrote text as bytes. */
function isText(value: Pickled | undefined): value is string | Buffer {
  return typeof value === 'string' || Buffer.isBuffer(value)
}

export function nameOf(module: string, attribute: string): PickledName {
  const name = `${module}.${attribute}`
  if (!KNOWN.has(name)) throw new FacexError('ERR_DATA', `pickle: the name ${JSON.stringify(name)} is not allowed in a verification file`)
  return new PickledName(name)
}

/** What a call of the name with these arguments stands for. */
export function meaningOf(name: Pickled, args: Pickled): Pickled {
  const made = name instanceof PickledName && Array.isArray(args) ? KNOWN.get(name.name)!(args) : undefined
  if (made === undefined) throw new FacexError('ERR_DATA', 'pickle: a function call that is not allowed in a verification file')
  return made
}

/** Fills an object with the state that follows it. */
export function build(object: Pickled, state: Pickled): void {
  if (object instanceof ElementType) return
  const [, , type, , content] = Array.isArray(state) ? state : []
  if (!(object instanceof ByteArray) || !(type instanceof ElementType) || !/^\|?[uiS]1?$/.test(type.code) || !Buffer.isBuffer(content)) {
    throw new FacexError('ERR_DATA', 'pickle: expected an array of bytes')
  }
  object.content = content
}
