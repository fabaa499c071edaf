/**
 * A reader of Python pickles that executes nothing: the stream builds plain values, and the only functions that it can
 * name are those of the caller's table. Protocols 0 to 5 as far as data needs them. PyTorch files
 * (`model/formats/torch-globals.ts`) and verification files (`data/bin-globals.ts`) are read with it.
 *
 * What becomes what: dict is Map, list and tuple are arrays, set is Set, bytes is Buffer, int is number or, where
 * that would not be exact, bigint.
 * @module
 */
import { FacexError, received, type ErrorCode } from '../errors.js'
import { PickleBytes } from './pickle-bytes.js'

/** What a name such as `collections.OrderedDict` stands for. */
export interface PickleGlobal {
  readonly name: string
  /** Makes a value of the arguments; absent where the name is only ever passed on. */
  readonly call?: (args: readonly unknown[]) => unknown
}

export interface PickleContext {
  /** Of every error that the stream itself causes. */
  readonly code: ErrorCode
  /** The allow-list; undefined refuses the name. */
  find(name: string): PickleGlobal | undefined
  /** Resolves a persistent id, such as the place of a tensor's data; left out where a file has none. */
  persistent?(id: unknown): unknown
  /** What a string of Python 2 is, which may be text or bytes. @default text in UTF-8 */
  oldString?(bytes: Buffer): unknown
}

/** A value that takes the state which BUILD brings. */
export abstract class PickleObject {
  abstract setState(state: unknown): void
}

/** A value with attributes and no behaviour. */
export class PickleRecord extends PickleObject {
  readonly attributes = new Map<unknown, unknown>()

  constructor(readonly type: string) {
    super()
  }

  setState(state: unknown): void {
    if (state instanceof Map) for (const [key, value] of state) this.attributes.set(key, value)
  }
}

/** Largest pickles and most containers accepted: beyond any state dict, small beside the tensors. */
const MAX_OPERATIONS = 20_000_000
const MAX_CONTAINERS = 1_000_000

/** Reads the pickle that starts at `start`. Throws `context.code`; `PickleTruncated` when `bytes` ends too early. */
export function unpickle(bytes: Uint8Array, context: PickleContext, start = 0): { value: unknown; end: number } {
  return new Unpickler(new PickleBytes(bytes, context.code, start), context).run()
}

const code = (letter: string) => letter.charCodeAt(0)

class Unpickler {
  #stack: unknown[] = []
  /** Stacks below the open marks. */
  readonly #marks: unknown[][] = []
  readonly #memo = new Map<number, unknown>()
  #containers = 0

  constructor(
    readonly bytes: PickleBytes,
    readonly context: PickleContext,
  ) {}

  run(): { value: unknown; end: number } {
    for (let operations = 0; ; operations++) {
      if (operations > MAX_OPERATIONS) this.#fail(`more than ${MAX_OPERATIONS} operations`)
      const operation = this.bytes.uint8()
      if (operation === code('.')) return { value: this.#pop(), end: this.bytes.position }
      const handler = OPERATIONS.get(operation)
      if (handler === undefined) this.#fail(`operation 0x${operation.toString(16)} is unknown or not allowed`)
      handler(this)
    }
  }

  push(value: unknown): void {
    this.#stack.push(value)
  }

  /** Pushes a list, dict or set, of which there is a limit: a few bytes of pickle would become many of memory. */
  pushContainer(value: unknown): void {
    if (++this.#containers > MAX_CONTAINERS) this.#fail(`more than ${MAX_CONTAINERS} lists and dicts`)
    this.#stack.push(value)
  }

  pop(): unknown {
    return this.#pop()
  }

  top(): unknown {
    if (this.#stack.length === 0) this.#fail('the stack is empty')
    return this.#stack.at(-1)
  }

  mark(): void {
    this.#marks.push(this.#stack)
    if (this.#marks.length > MAX_CONTAINERS) this.#fail('too many marks')
    this.#stack = []
  }

  /** The values since the last mark. */
  popMark(): unknown[] {
    const values = this.#stack
    this.#stack = this.#marks.pop() ?? this.#fail('there is no mark')
    return values
  }

  /** Values below the top, as many as given, as a tuple. */
  popTuple(length: number): unknown[] {
    return Array.from({ length }, () => this.#pop()).reverse()
  }

  put(index: number): void {
    this.#memo.set(index, this.top())
  }

  memoize(): void {
    this.put(this.#memo.size)
  }

  get(index: number): void {
    if (!this.#memo.has(index)) this.#fail(`the memo has no entry ${index}`)
    this.push(this.#memo.get(index))
  }

  setItems(items: readonly unknown[]): void {
    const dict = this.top()
    if (!(dict instanceof Map) || items.length % 2 !== 0) this.#fail(`expected a dict and pairs, found ${received(dict)}`)
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1])
  }

  append(items: readonly unknown[]): void {
    const list = this.top()
    if (!Array.isArray(list)) this.#fail(`expected a list, found ${received(list)}`)
    for (const item of items) list.push(item)
  }

  addToSet(items: readonly unknown[]): void {
    const set = this.top()
    if (!(set instanceof Set)) this.#fail(`expected a set, found ${received(set)}`)
    for (const item of items) set.add(item)
  }

  global(module: unknown, name: unknown): void {
    const full = `${String(module)}.${String(name)}`
    this.push(this.context.find(full) ?? this.#fail(`the file asks for ${full}, which is not allowed: nothing in the file is executed, only data is read`))
  }

  reduce(): void {
    const args = this.#pop()
    const callable = this.#pop() as PickleGlobal | undefined
    if (!Array.isArray(args)) this.#fail(`expected a tuple of arguments, found ${received(args)}`)
    if (typeof callable?.call !== 'function') this.#fail(`${callable?.name ?? received(callable)} cannot be called`)
    this.pushContainer(callable.call(args))
  }

  /** Attributes of an object. Those of dicts, such as `_metadata` of a state dict, describe and are left out. */
  build(): void {
    const state = this.#pop()
    const target = this.top()
    if (target instanceof PickleObject) target.setState(state)
    else if (!(target instanceof Map)) this.#fail(`${received(target)} takes no state`)
  }

  persistent(id: unknown): void {
    this.push(this.context.persistent?.(id) ?? this.#fail('a persistent id, which has no meaning in this file'))
  }

  oldString(bytes: Buffer): void {
    this.push(this.context.oldString?.(bytes) ?? bytes.toString('utf8'))
  }

  #pop(): unknown {
    return this.#stack.length === 0 ? this.#fail('the stack is empty') : this.#stack.pop()
  }

  #fail(message: string): never {
    throw new FacexError(this.context.code, `pickle, byte ${this.bytes.position}: ${message}`)
  }
}

function dictOf(items: readonly unknown[]): Map<unknown, unknown> {
  const dict = new Map<unknown, unknown>()
  for (let i = 0; i + 1 < items.length; i += 2) dict.set(items[i], items[i + 1])
  return dict
}

/** What each operation does, by its byte. Absent on purpose: those that make instances by other ways (INST, OBJ, EXT). */
const OPERATIONS = new Map<number, (machine: Unpickler) => void>([
  [0x80, (m) => void m.bytes.uint8()], // PROTO
  [0x95, (m) => void m.bytes.skip(8)], // FRAME
  [code('('), (m) => m.mark()],
  [code('0'), (m) => void m.pop()],
  [code('1'), (m) => void m.popMark()],
  [code('2'), (m) => m.push(m.top())],

  [code('N'), (m) => m.push(null)],
  [0x88, (m) => m.push(true)],
  [0x89, (m) => m.push(false)],
  [code('I'), (m) => m.push(m.bytes.integerLine())],
  [code('L'), (m) => m.push(m.bytes.integerLine())],
  [code('J'), (m) => m.push(m.bytes.int32())],
  [code('K'), (m) => m.push(m.bytes.uint8())],
  [code('M'), (m) => m.push(m.bytes.uint16())],
  [0x8a, (m) => m.push(m.bytes.long(m.bytes.uint8()))],
  [0x8b, (m) => m.push(m.bytes.long(m.bytes.uint32()))],
  [code('F'), (m) => m.push(Number(m.bytes.line()))],
  [code('G'), (m) => m.push(m.bytes.float64())],

  [code('S'), (m) => m.push(m.bytes.quotedLine())],
  [code('T'), (m) => m.oldString(m.bytes.blob(m.bytes.uint32()))],
  [code('U'), (m) => m.oldString(m.bytes.blob(m.bytes.uint8()))],
  [code('V'), (m) => m.push(m.bytes.line())],
  [code('X'), (m) => m.push(m.bytes.text(m.bytes.uint32()))],
  [0x8c, (m) => m.push(m.bytes.text(m.bytes.uint8()))],
  [0x8d, (m) => m.push(m.bytes.text(m.bytes.uint64()))],
  [code('B'), (m) => m.push(m.bytes.blob(m.bytes.uint32()))],
  [code('C'), (m) => m.push(m.bytes.blob(m.bytes.uint8()))],
  [0x8e, (m) => m.push(m.bytes.blob(m.bytes.uint64()))],
  [0x96, (m) => m.push(m.bytes.blob(m.bytes.uint64()))],

  [code(')'), (m) => m.pushContainer([])],
  [code('t'), (m) => m.pushContainer(m.popMark())],
  [0x85, (m) => m.pushContainer(m.popTuple(1))],
  [0x86, (m) => m.pushContainer(m.popTuple(2))],
  [0x87, (m) => m.pushContainer(m.popTuple(3))],
  [code(']'), (m) => m.pushContainer([])],
  [code('l'), (m) => m.pushContainer(m.popMark())],
  [code('a'), (m) => m.append(m.popTuple(1))],
  [code('e'), (m) => m.append(m.popMark())],
  [code('}'), (m) => m.pushContainer(new Map())],
  [code('d'), (m) => m.pushContainer(dictOf(m.popMark()))],
  [code('s'), (m) => m.setItems(m.popTuple(2))],
  [code('u'), (m) => m.setItems(m.popMark())],
  [0x8f, (m) => m.pushContainer(new Set())],
  [0x90, (m) => m.addToSet(m.popMark())],
  [0x91, (m) => m.pushContainer(new Set(m.popMark()))],

  [code('p'), (m) => m.put(Number(m.bytes.line()))],
  [code('q'), (m) => m.put(m.bytes.uint8())],
  [code('r'), (m) => m.put(m.bytes.uint32())],
  [0x94, (m) => m.memoize()],
  [code('g'), (m) => m.get(Number(m.bytes.line()))],
  [code('h'), (m) => m.get(m.bytes.uint8())],
  [code('j'), (m) => m.get(m.bytes.uint32())],

  [code('c'), (m) => m.global(m.bytes.line(), m.bytes.line())],
  [0x93, (m) => m.global(...(m.popTuple(2) as [unknown, unknown]))],
  [code('R'), (m) => m.reduce()],
  [0x81, (m) => m.reduce()], // NEWOBJ: for the classes of the table the same
  [code('b'), (m) => m.build()],
  [code('P'), (m) => m.persistent(m.bytes.line())],
  [code('Q'), (m) => m.persistent(m.pop())],
])
