/**
 * IJB's 1:N protocol: templates of two galleries, each with a half of the persons, and the probes of all of them; the
 * figures are the means of both galleries'.
 * @module
 */
import { FacexError } from '../errors.js'
import type { EmbedOptions, ImageEmbedder } from './evaluate.js'
import { searchOpenSet, type OpenSetPoint, type OpenSetResult } from './open-set.js'
import type { Embeddings } from './scores.js'
import { embedTemplates, TemplatePool, type ListedTemplateImages } from './templates.js'

/** Templates and the person that each one shows. */
export interface TemplateList {
  readonly templates: readonly number[]
  readonly subjects: readonly number[]
}

export interface TemplateSearchSet extends ListedTemplateImages {
  readonly name: string
  readonly galleries: readonly [TemplateList, TemplateList]
  readonly probes: TemplateList
}

export interface TemplateIdentification {
  readonly name: string
  readonly images: number
  readonly probes: number
  readonly flip: boolean
  /** Whether detector scores weighed the images. */
  readonly weighted: boolean
  readonly galleries: readonly OpenSetResult[]
  /** Means over the galleries. */
  readonly ranks: readonly { readonly rank: number; readonly accuracy: number }[]
  readonly cmc: readonly number[]
  readonly tpirAtFpir: readonly OpenSetPoint[]
  /** At the rates that both galleries can measure. */
  readonly curve: readonly OpenSetPoint[]
  readonly seconds: number
}

/**
 * @param options `fars`: false positive identification rates to report besides the usual ones
 * @throws FacexError ERR_DATA for an image that does not decode or a template without images; ERR_NON_FINITE
 */
export async function identifyTemplates(embedder: ImageEmbedder, set: TemplateSearchSet, { fars, ...options }: EmbedOptions & { readonly fars?: readonly number[] } = {}): Promise<TemplateIdentification> {
  const start = performance.now()
  const pool = new TemplatePool(set, embedder.size)
  const lists = [...set.galleries, set.probes].map(({ templates }) => templates.map((template) => pool.row(template)))
  await embedTemplates(embedder, set, pool, options)
  const all = pool.embeddings()
  const probes = rowsOf(all, lists[2]!)
  const galleries: OpenSetResult[] = []
  for (const [i, gallery] of set.galleries.entries()) {
    galleries.push(await searchOpenSet({ gallery: rowsOf(all, lists[i]!), gallerySubjects: gallery.subjects, probes, probeSubjects: set.probes.subjects }, fars))
  }
  const [one, two] = galleries as [OpenSetResult, OpenSetResult]
  if (one.mated === 0 || two.mated === 0) throw new FacexError('ERR_DATA', `${set.name}: no probe shows a person of ${one.mated === 0 ? 'the first' : 'the second'} gallery`)
  return {
    name: set.name,
    images: set.files.length,
    probes: probes.count,
    flip: options.flip ?? false,
    weighted: set.weights !== undefined,
    galleries,
    ranks: one.ranks.map(({ rank, accuracy }, i) => ({ rank, accuracy: (accuracy + two.ranks[i]!.accuracy) / 2 })),
    tpirAtFpir: one.tpirAtFpir.flatMap(({ far, tar }) => {
      const other = two.tpirAtFpir.find((point) => point.far === far)
      return other === undefined ? [] : [{ fpir: far, tpir: (tar + other.tar) / 2 }]
    }),
    cmc: one.cmc.map((share, i) => (share + two.cmc[i]!) / 2),
    curve: meanCurve(one.curve, two.curve),
    seconds: (performance.now() - start) / 1000,
  }
}

/** Both curves end at a rate of 1 and take the same steps. */
function meanCurve(one: readonly OpenSetPoint[], two: readonly OpenSetPoint[]): OpenSetPoint[] {
  const length = Math.min(one.length, two.length)
  const [a, b] = [one.slice(one.length - length), two.slice(two.length - length)]
  return a.map(({ fpir, tpir }, i) => ({ fpir, tpir: (tpir + b[i]!.tpir) / 2 }))
}

function rowsOf({ data, dim }: Embeddings, rows: readonly number[]): Embeddings {
  const picked = new Float32Array(rows.length * dim)
  rows.forEach((row, i) => picked.set(data.subarray(row * dim, (row + 1) * dim), i * dim))
  return { count: rows.length, dim, data: picked }
}
