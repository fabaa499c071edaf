/**
 * Reads pickled lists, tuples, bytes, texts, whole numbers, truth values and numpy arrays of bytes, and nothing else. Pickles can call
 * any function of Python; here every opcode that is not on the list ends the reading, so nothing is ever executed.
 * @module
 */
import { FacexError } from '../errors.js'
import { build, meaningOf, nameOf, type Pickled } from './pickle-values.js'

const MARK = Symbol('mark')
type Item = Pickled | typeof MARK

/** @throws FacexError ERR_DATA at the first opcode that is not on the list, or where the data ends too early */
export function readPickle(data: Buffer): Pickled {
  return new Unpickler(data).read()
}

class Unpickler {
  readonly #data: Buffer
  readonly #stack: Item[] = []
  readonly #memo = new Map<number, Item>()
  #at = 0

  constructor(data: Buffer) {
    this.#data = data
  }

  read(): Pickled {
    for (;;) {
      const position = this.#at
      const opcode = this.#number(1)
      if (opcode === 0x2e /* STOP */) return this.value()
      const action = ACTIONS.get(opcode)
      if (action === undefined) this.fail(`opcode 0x${opcode.toString(16).padStart(2, '0')} at byte ${position} is not allowed in a verification file`)
      action(this)
    }
  }

  fail(text: string): never {
    throw new FacexError('ERR_DATA', `pickle: ${text}`)
  }

  push(item: Item): void {
    this.#stack.push(item)
  }

  pop(): Item {
    if (this.#stack.length === 0) this.fail(`nothing on the stack at byte ${this.#at}`)
    return this.#stack.pop()!
  }

  value(): Pickled {
    const item = this.pop()
    if (typeof item === 'symbol') this.fail(`expected a value at byte ${this.#at}`)
    return item
  }

  /** Everything above the last mark. */
  popToMark(): Pickled[] {
    const mark = this.#stack.lastIndexOf(MARK)
    if (mark < 0) this.fail(`no mark at byte ${this.#at}`)
    const items = this.#stack.splice(mark)
    items.shift()
    return items as Pickled[]
  }

  popMany(count: number): Pickled[] {
    return Array.from({ length: count }, () => this.value()).reverse()
  }

  append(values: readonly Pickled[]): void {
    const list = this.#stack.at(-1)
    if (!Array.isArray(list)) this.fail(`expected a list to append to at byte ${this.#at}`)
    for (const value of values) list.push(value)
  }

  bytes(length: number): Buffer {
    if (this.#at + length > this.#data.length) this.fail(`the file ends too early: expected ${length} more bytes at byte ${this.#at}`)
    this.#at += length
    return this.#data.subarray(this.#at - length, this.#at)
  }

  /** Unsigned, little-endian. */
  #number(size: number): number {
    return size <= 4 ? this.bytes(size).readUIntLE(0, size) : Number(this.bytes(8).readBigUInt64LE(0))
  }

  signed(size: number): number {
    return this.bytes(size).readIntLE(0, size)
  }

  counted(size: number): Buffer {
    return this.bytes(this.#number(size))
  }

  line(): string {
    const end = this.#data.indexOf(10, this.#at)
    if (end < 0) this.fail(`the file ends too early: no end of line behind byte ${this.#at}`)
    const text = this.bytes(end - this.#at).toString('latin1')
    this.#at++
    return text
  }

  put(key: number): void {
    const top = this.#stack.at(-1)
    if (top === undefined) this.fail(`nothing to remember at byte ${this.#at}`)
    this.#memo.set(key, top)
  }

  get(key: number): void {
    const item = this.#memo.get(key)
    if (item === undefined) this.fail(`memory ${key} is empty at byte ${this.#at}`)
    this.push(item)
  }

  index(size: number): number {
    return this.#number(size)
  }

  memoSize(): number {
    return this.#memo.size
  }

  build(): void {
    const state = this.value()
    const object = this.value()
    build(object, state)
    this.push(object)
  }

  /** `I01` is true, `I00` false, other digits a number. */
  textInteger(): void {
    const text = this.line()
    if (!/^-?\d+$/.test(text)) this.fail(`expected digits before byte ${this.#at}`)
    this.push(text === '01' ? true : text === '00' ? false : Number(text))
  }
}

/** The allowed opcodes, by the names of Python's pickletools. */
const ACTIONS = new Map<number, (p: Unpickler) => void>([
  [0x80 /* PROTO */, (p) => void p.bytes(1)],
  [0x95 /* FRAME */, (p) => void p.bytes(8)],
  [0x28 /* MARK */, (p) => p.push(MARK)],
  [0x30 /* POP */, (p) => void p.pop()],
  [0x4e /* NONE */, (p) => p.push(null)],
  [0x88 /* NEWTRUE */, (p) => p.push(true)],
  [0x89 /* NEWFALSE */, (p) => p.push(false)],
  [0x49 /* INT */, (p) => p.textInteger()],
  [0x4a /* BININT */, (p) => p.push(p.signed(4))],
  [0x4b /* BININT1 */, (p) => p.push(p.index(1))],
  [0x4d /* BININT2 */, (p) => p.push(p.index(2))],
  [0x54 /* BINSTRING */, (p) => p.push(p.counted(4))],
  [0x55 /* SHORT_BINSTRING */, (p) => p.push(p.counted(1))],
  [0x42 /* BINBYTES */, (p) => p.push(p.counted(4))],
  [0x43 /* SHORT_BINBYTES */, (p) => p.push(p.counted(1))],
  [0x8e /* BINBYTES8 */, (p) => p.push(p.counted(8))],
  [0x58 /* BINUNICODE */, (p) => p.push(p.counted(4).toString('utf8'))],
  [0x8c /* SHORT_BINUNICODE */, (p) => p.push(p.counted(1).toString('utf8'))],
  [0x5d /* EMPTY_LIST */, (p) => p.push([])],
  [0x6c /* LIST */, (p) => p.push(p.popToMark())],
  [0x61 /* APPEND */, (p) => p.append(p.popMany(1))],
  [0x65 /* APPENDS */, (p) => p.append(p.popToMark())],
  [0x29 /* EMPTY_TUPLE */, (p) => p.push([])],
  [0x85 /* TUPLE1 */, (p) => p.push(p.popMany(1))],
  [0x86 /* TUPLE2 */, (p) => p.push(p.popMany(2))],
  [0x87 /* TUPLE3 */, (p) => p.push(p.popMany(3))],
  [0x74 /* TUPLE */, (p) => p.push(p.popToMark())],
  [0x70 /* PUT */, (p) => p.put(Number(p.line()))],
  [0x71 /* BINPUT */, (p) => p.put(p.index(1))],
  [0x72 /* LONG_BINPUT */, (p) => p.put(p.index(4))],
  [0x94 /* MEMOIZE */, (p) => p.put(p.memoSize())],
  [0x67 /* GET */, (p) => p.get(Number(p.line()))],
  [0x68 /* BINGET */, (p) => p.get(p.index(1))],
  [0x6a /* LONG_BINGET */, (p) => p.get(p.index(4))],
  [0x63 /* GLOBAL */, (p) => p.push(nameOf(p.line(), p.line()))],
  [0x52 /* REDUCE */, (p) => p.push(meaningOf(...(p.popMany(2) as [Pickled, Pickled])))],
  [0x62 /* BUILD */, (p) => p.build()],
])
