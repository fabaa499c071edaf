/**
 * The names that a PyTorch file may use, and the plain values that they make. Anything else is refused by name.
 * @module
 */
import { FacexError, received } from '../../errors.js'
import { elementCount } from './dtype.js'
import { PickleRecord, type PickleGlobal } from '../../pickle/unpickle.js'
import { TorchStorage, TorchTensor, type TorchDType } from './torch-tensor.js'

const STORAGES: Readonly<Record<string, TorchDType>> = {
  FloatStorage: 'float32',
  DoubleStorage: 'float64',
  HalfStorage: 'float16',
  BFloat16Storage: 'bfloat16',
  LongStorage: 'int64',
  IntStorage: 'int32',
  ShortStorage: 'int16',
  CharStorage: 'int8',
  ByteStorage: 'uint8',
  BoolStorage: 'bool',
}

/** The globals that stand for element types: `torch.FloatStorage`, `torch.cuda.FloatStorage`, `torch.float32`. */
const DTYPES = new Map<string, TorchDType | undefined>([
  ...Object.entries(STORAGES).flatMap(([name, dtype]) => [[`torch.${name}`, dtype] as const, [`torch.cuda.${name}`, dtype] as const, [`torch.${dtype}`, dtype] as const]),
  ['torch.storage.UntypedStorage', undefined],
  ['torch.float', 'float32'],
  ['torch.double', 'float64'],
  ['torch.half', 'float16'],
  ['torch.long', 'int64'],
])

const FUNCTIONS: Readonly<Record<string, (args: readonly unknown[]) => unknown>> = {
  'collections.OrderedDict': mapOf,
  'collections.defaultdict': () => new Map(),
  'builtins.dict': mapOf,
  'builtins.list': ([items]) => (Array.isArray(items) ? [...(items as unknown[])] : []),
  'builtins.set': ([items]) => new Set(Array.isArray(items) ? items : []),
  'builtins.bytearray': ([bytes]) => bytes ?? new Uint8Array(0),
  'argparse.Namespace': () => new PickleRecord('argparse.Namespace'),
  'torch.Size': ([dims]) => dims,
  'torch.device': (args) => args.join(':'),
  'torch._utils._rebuild_tensor': rebuildTensor,
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_tensor_v3': ([storage, offset, shape, stride, , , dtype]) => rebuildTensor([storage, offset, shape, stride], dtype),
  'torch._utils._rebuild_parameter': ([tensor]) => tensor,
  'torch._utils._rebuild_parameter_with_state': ([tensor]) => tensor,
  'torch._tensor._rebuild_from_type_v2': ([make, , args]) => call(make, args),
  '_codecs.encode': ([text]) => Buffer.from(String(text), 'latin1'),
  'numpy.dtype': ([type]) => new PickleRecord(String(type)),
  'numpy.core.multiarray.scalar': numpyScalar,
  'numpy._core.multiarray.scalar': numpyScalar,
}

/** Types that are only passed on. */
const TYPES = ['torch.Tensor', 'torch.nn.parameter.Parameter', 'builtins.int', 'builtins.float', 'builtins.bool', 'builtins.str']

const GLOBALS = new Map<string, PickleGlobal>([
  ...Object.entries(FUNCTIONS).map(([name, make]) => [name, { name, call: make }] as const),
  ...[...DTYPES.keys(), ...TYPES].map((name) => [name, { name }] as const),
])

/** The allow-list. Python 2 called `builtins` otherwise. */
export function findTorchGlobal(name: string): PickleGlobal | undefined {
  return GLOBALS.get(name.replace(/^__builtin__\./, 'builtins.'))
}

/** `('storage', type, key, device, elements[, view])`, the only persistent id of a state dict. */
export function storageOf(id: unknown): TorchStorage {
  if (!Array.isArray(id) || id[0] !== 'storage') fail(`expected the place of a tensor, found ${Array.isArray(id) ? received(id[0]) : received(id)}; save the state dict instead of the whole module`)
  const [, type, key, , count, view] = id as unknown[]
  const name = (type as PickleGlobal | undefined)?.name ?? ''
  if (!DTYPES.has(name) || typeof key !== 'string' || !isCount(count)) fail(`a storage of type ${name}, key ${received(key)} and ${received(count)} elements`)
  if (view === null || view === undefined) return new TorchStorage(key, DTYPES.get(name), 0, count)
  const [, offset, size] = Array.isArray(view) ? (view as unknown[]) : []
  if (!isCount(offset) || !isCount(size)) fail('the view of a storage is damaged')
  return new TorchStorage(key, DTYPES.get(name), offset, size)
}

function rebuildTensor([storage, offset, shape, stride]: readonly unknown[], type?: unknown): TorchTensor {
  if (!(storage instanceof TorchStorage) || !isCount(offset)) fail('a tensor without storage')
  if (!isCounts(shape) || !isCounts(stride) || shape.length !== stride.length || shape.length > 16) fail(`a tensor of shape ${received(shape)} and stride ${received(stride)}`)
  const dtype = storage.dtype ?? DTYPES.get((type as PickleGlobal | undefined)?.name ?? '')
  if (dtype === undefined) fail('a tensor without element type')
  const last = shape.reduce((sum, dim, axis) => sum + (dim - 1) * stride[axis]!, offset)
  const count = elementCount(shape)
  if (Number.isNaN(count) || (count > 0 && !(last < storage.count))) fail(`a tensor [${shape.join(', ')}] that reaches beyond its ${storage.count} elements`)
  return new TorchTensor(storage, dtype, offset, shape, stride)
}

function call(make: unknown, args: unknown): unknown {
  const found = make as PickleGlobal | undefined
  if (found?.call !== rebuildTensor || !Array.isArray(args)) fail(`${found?.name ?? received(make)} makes no tensor`)
  return rebuildTensor(args)
}

/** A dict of pairs, copied shallowly. */
function mapOf([items]: readonly unknown[]): Map<unknown, unknown> {
  if (items === undefined) return new Map()
  if (items instanceof Map) return new Map(items)
  if (!Array.isArray(items) || !items.every((item) => Array.isArray(item) && item.length === 2)) fail('a dict that is not made of pairs')
  return new Map(items as [unknown, unknown][])
}

const SCALARS: Readonly<Record<string, (bytes: Buffer) => number>> = {
  f4: (bytes) => bytes.readFloatLE(),
  f8: (bytes) => bytes.readDoubleLE(),
  i4: (bytes) => bytes.readInt32LE(),
  i8: (bytes) => Number(bytes.readBigInt64LE()),
  b1: (bytes) => bytes.readUInt8(),
}

function numpyScalar([type, bytes]: readonly unknown[]): number {
  const name = type instanceof PickleRecord ? type.type : ''
  const read = SCALARS[name]
  if (read === undefined || !(bytes instanceof Uint8Array) || bytes.length !== Number(name.slice(1))) fail(`a numpy scalar of type ${received(name)}`)
  return read(Buffer.from(bytes))
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount)
}

function fail(message: string): never {
  throw new FacexError('ERR_CHECKPOINT', message)
}
