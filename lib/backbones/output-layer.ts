/**
 * How most networks of the table end: batch norm, dropout and one fully connected layer over the whole last map.
 * @module
 */
import { BatchNorm, Dropout, Flatten, Linear, Sequential } from '../layers/index.js'

/** The keys of {@link OUTPUT_OPTIONS}. */
export interface OutputConfig {
  readonly feat_dim: number
  readonly out_h: number
  readonly out_w: number
}

/** [channels, out_h, out_w] to the embedding [feat_dim], ended by a batch norm with learnable affine. */
export function outputLayer(channels: number, dropRatio: number, config: OutputConfig): Sequential {
  return new Sequential(
    new BatchNorm(channels),
    new Dropout(dropRatio),
    new Flatten(),
    new Linear(channels * config.out_h * config.out_w, config.feat_dim),
    new BatchNorm(config.feat_dim),
  )
}
