/**
 * Tensors as a PyTorch file describes them: strided looks into storages.
 * @module
 */
import type { DType } from './dtype.js'

/** Element types of a PyTorch file; those that are no {@link DType} can be listed but not read. */
export type TorchDType = DType | 'bool' | 'int8' | 'int16'

/** A block of elements that tensors look into. */
export class TorchStorage {
  constructor(
    readonly key: string,
    /** undefined for bytes whose type the tensor names. */
    readonly dtype: TorchDType | undefined,
    /** Elements before the first one that belongs to it, for views of the oldest format. */
    readonly offset: number,
    readonly count: number,
  ) {}
}

/** A strided look into a storage, in elements. */
export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    readonly dtype: TorchDType,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly stride: readonly number[],
  ) {}
}

/** Where the bytes of a storage lie in the file, by its key. */
export type Locate = (key: string) => Promise<{ start: number; size: number }>
