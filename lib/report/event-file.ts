/**
 * TensorBoard's event files: TFRecord frames around `Event` messages (tensorflow/core/util/event.proto). Scalars and
 * images are enough for a training run.
 * @module
 */
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import path from 'node:path'

import { maskedCrc32c } from './crc32c.js'
import { bytesField, doubleField, floatField, integerField } from './protobuf.js'

/** Field numbers of the messages. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const
const SESSION_LOG = { status: 1, start: 1 } as const
const SUMMARY_VALUE = 1
const VALUE = { tag: 1, simpleValue: 2, image: 4 } as const
const IMAGE = { height: 1, width: 2, colorspace: 3, encoded: 4 } as const

/** An encoded picture (PNG or JPEG) with three channels. */
export interface EventImage {
  readonly height: number
  readonly width: number
  readonly encoded: Uint8Array
}

/** A new event file in a folder that may hold others of the same run. Every write reaches the system at once. */
export class EventFile {
  readonly path: string
  readonly #file: number

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true })
    const seconds = Math.floor(Date.now() / 1000)
    this.path = path.join(folder, `events.out.tfevents.${String(seconds).padStart(10, '0')}.${hostname()}.${process.pid}.${nextNumber++}`)
    this.#file = openSync(this.path, 'wx')
    this.#write([bytesField(EVENT.fileVersion, 'brain.Event:2')])
  }

  /** Tells TensorBoard to forget what earlier files of the folder say about this step and later ones. */
  restart(step: number): void {
    this.#write([integerField(EVENT.step, step), bytesField(EVENT.sessionLog, [integerField(SESSION_LOG.status, SESSION_LOG.start)])])
  }

  scalars(step: number, values: Readonly<Record<string, number>>): void {
    const summary = Object.entries(values).map(([tag, value]) =>
      bytesField(SUMMARY_VALUE, [bytesField(VALUE.tag, tag), floatField(VALUE.simpleValue, value)]),
    )
    this.#write([integerField(EVENT.step, step), bytesField(EVENT.summary, summary)])
  }

  image(step: number, tag: string, image: EventImage): void {
    const picture = [integerField(IMAGE.height, image.height), integerField(IMAGE.width, image.width), integerField(IMAGE.colorspace, 3), bytesField(IMAGE.encoded, image.encoded)]
    const value = [bytesField(VALUE.tag, tag), bytesField(VALUE.image, picture)]
    this.#write([integerField(EVENT.step, step), bytesField(EVENT.summary, [bytesField(SUMMARY_VALUE, value)])])
  }

  close(): void {
    closeSync(this.#file)
  }

  #write(fields: readonly Buffer[]): void {
    writeSync(this.#file, frame(Buffer.concat([doubleField(EVENT.wallTime, Date.now() / 1000), ...fields])))
  }
}

/** Two files of one process within a second get different names. */
let nextNumber = 0

/** One TFRecord: length, its checksum, content, its checksum. */
function frame(content: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.writeBigUInt64LE(BigInt(content.length))
  head.writeUInt32LE(maskedCrc32c(head.subarray(0, 8)), 8)
  const tail = Buffer.alloc(4)
  tail.writeUInt32LE(maskedCrc32c(content))
  return Buffer.concat([head, content, tail])
}
