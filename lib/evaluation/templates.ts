/**
 * IJB's templates: a person as several images and videos. Images of one medium (the frames of a video) are averaged, the
 * media of a template are added, so a long video weighs as much as one photo.
 * @module
 */
import { FacexError } from '../errors.js'
import type { EmbedOptions, ImageEmbedder } from './evaluate.js'
import { withPlaces } from './places.js'
import type { Embeddings } from './scores.js'

/** Which template and medium each image belongs to; images may come in any order. */
export interface TemplateImages {
  readonly templates: readonly number[]
  readonly media: readonly number[]
  /** Detector score of each image: blurred faces that a detector doubts count less. All 1 when absent. */
  readonly weights?: readonly number[]
}

/** Images of templates as files of a list. */
export interface ListedTemplateImages extends TemplateImages {
  readonly files: readonly string[]
  /** List and line that name an image, for messages. */
  readonly place: (image: number) => string
}

/**
 * Adds up templates from pieces of embeddings: the mean over a medium times its size is a sum, so that memory is one
 * row a template however many images there are.
 */
export class TemplatePool {
  /** Template numbers, in the order of {@link embeddings}' rows. */
  readonly numbers: readonly number[]
  readonly #images: TemplateImages
  readonly #rows: ReadonlyMap<number, number>
  readonly #sizes = new Map<string, number>()
  readonly #sums: Float64Array
  readonly #dim: number
  #next = 0

  constructor(images: TemplateImages, dim: number) {
    this.#images = images
    this.#dim = dim
    this.numbers = [...new Set(images.templates)].sort((a, b) => a - b)
    this.#rows = new Map(this.numbers.map((number, row) => [number, row]))
    images.templates.forEach((template, image) => {
      const key = `${template} ${images.media[image]}`
      this.#sizes.set(key, (this.#sizes.get(key) ?? 0) + 1)
    })
    this.#sums = new Float64Array(this.numbers.length * dim)
  }

  /** The embeddings of the next images, [N, D]; each is brought to unit length before its weight. @throws FacexError ERR_NON_FINITE */
  add(data: Float32Array): void {
    const dim = this.#dim
    for (let at = 0; at < data.length; at += dim, this.#next++) {
      const norm = Math.hypot(...data.subarray(at, at + dim))
      if (!(norm > 0 && norm < Infinity)) throw new FacexError('ERR_NON_FINITE', `image ${this.#next}: expected a finite embedding that is not all zero, found norm ${norm}`)
      const template = this.#images.templates[this.#next]!
      const size = this.#sizes.get(`${template} ${this.#images.media[this.#next]}`)!
      const scale = (this.#images.weights?.[this.#next] ?? 1) / (norm * size)
      const row = this.#rows.get(template)! * dim
      for (let d = 0; d < dim; d++) this.#sums[row + d]! += data[at + d]! * scale
    }
  }

  /** Row of a template. @throws FacexError ERR_DATA for a template without images */
  row(template: number): number {
    const row = this.#rows.get(template)
    if (row === undefined) throw new FacexError('ERR_DATA', `template ${template} is in a pair list but has no image`)
    return row
  }

  embeddings(): Embeddings {
    return { count: this.numbers.length, dim: this.#dim, data: Float32Array.from(this.#sums) }
  }
}

/** Images embedded before they are added to their templates: what is in memory at once. */
const PIECE = 8192

/** Embeds the images of templates, in the order that the pool knows them by. */
export async function embedTemplates(embedder: ImageEmbedder, { files, place }: ListedTemplateImages, pool: TemplatePool, options: EmbedOptions): Promise<void> {
  for (let done = 0; done < files.length; done += PIECE) {
    const onProgress = (count: number) => options.onProgress?.(done + count, files.length)
    const piece = files.slice(done, done + PIECE)
    pool.add(await withPlaces(piece, (image) => place(done + image), () => embedder.embed(piece, { ...options, firstNumber: done, onProgress })))
  }
}
