/**
 * Landmark files: a line holds a path and the coordinates x y of 5, 68 or 106 points in pixels. Larger sets are reduced
 * to the five that alignment uses: left eye, right eye, nose tip, left and right mouth corner, as seen in the image.
 * @module
 */
import { readFileSync } from 'node:fs'

import { FacexError, messageOf, throwProblems } from '../errors.js'

/** x0 y0 ... x4 y4. */
export type FivePoints = readonly number[]

/** What a line of a landmark file says of a face. */
export interface FaceLandmarks {
  readonly points: FivePoints
  /** With 68 or 106 points: the jaw from ear to ear in iBUG's 17 points, x0 y0 ... x16 y16. */
  readonly jaw?: readonly number[]
}

export interface LandmarkedImage extends FaceLandmarks {
  readonly path: string
  /** Line of the file, and the path, for messages: `landmarks.txt:12: Ann/1.jpg`. */
  readonly place: string
}

/** For each of the five points, the points of a larger set (from 0) whose mean it is. */
const REDUCTIONS: ReadonlyMap<number, readonly (readonly number[])[]> = new Map([
  [5, [[0], [1], [2], [3], [4]]],
  // iBUG's 68: an eye is the middle of its six outline points.
  [68, [[36, 37, 38, 39, 40, 41], [42, 43, 44, 45, 46, 47], [30], [48], [54]]],
  // The 106 of JD-landmark, which FaceX-Zoo's detector gives.
  [106, [[104], [105], [54], [84], [90]]],
])

/** Points of the jaw in larger sets: the first 17 of 68, every other of the first 33 of 106. */
const JAW_STEP: ReadonlyMap<number, number> = new Map([[68, 1], [106, 2]])
const JAW_POINTS = 17

function jawPoints(coordinates: readonly number[]): number[] | undefined {
  const step = JAW_STEP.get(coordinates.length / 2)
  return step === undefined ? undefined : Array.from({ length: 2 * JAW_POINTS }, (_, i) => coordinates[2 * step * (i >> 1) + (i & 1)]!)
}

/** The five points of 5, 68 or 106; undefined for any other number. */
export function fivePoints(coordinates: readonly number[]): number[] | undefined {
  const reduction = REDUCTIONS.get(coordinates.length / 2)
  return reduction?.flatMap((points) => {
    const mean = (offset: number) => points.reduce((sum, point) => sum + coordinates[2 * point + offset]!, 0) / points.length
    return [mean(0), mean(1)]
  })
}

/**
 * Reads a landmark file.
 * @throws FacexError ERR_DATA that lists every wrong line
 */
export function openLandmarks(file: string): LandmarkedImage[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${file}: the landmark file cannot be read: ${messageOf(cause)}`, { cause })
  }
  return parseLandmarks(text, file)
}

/** Parses the text of a landmark file; `file` is named in messages. */
export function parseLandmarks(text: string, file: string): LandmarkedImage[] {
  const problems: string[] = []
  const images: LandmarkedImage[] = []
  text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .forEach((line, index) => {
      if (line.trim() === '') return
      const image = parseLine(line.trim())
      if (image === undefined) problems.push(`${file}:${index + 1}: expected a path and x y of 5, 68 or 106 points, found ${JSON.stringify(line.slice(0, 80))}`)
      else images.push({ ...image, place: `${file}:${index + 1}: ${image.path}` })
    })
  if (images.length === 0 && problems.length === 0) problems.push(`${file}: the file has no line "path x y x y ..."`)
  throwProblems('ERR_DATA', 'The landmark file has mistakes:', problems)
  return images
}

/** The path may hold spaces: coordinates are the numbers at the end of the line, as many as one of the sets has. */
function parseLine(line: string): Omit<LandmarkedImage, 'place'> | undefined {
  const fields = line.split(/[\s,]+/)
  for (const count of [...REDUCTIONS.keys()].sort((a, b) => b - a)) {
    const tail = fields.slice(-2 * count)
    if (fields.length <= 2 * count || !tail.every((field) => /^[-+]?[\d.]+(e[-+]?\d+)?$/i.test(field) && Number.isFinite(Number(field)))) continue
    const path = line.slice(0, startOfTail(line, 2 * count)).trimEnd().replace(/,$/, '')
    const coordinates = tail.map(Number)
    const jaw = jawPoints(coordinates)
    return { path, points: fivePoints(coordinates)!, ...(jaw !== undefined && { jaw }) }
  }
  return undefined
}

/** Position where the last `count` fields begin. */
function startOfTail(line: string, count: number): number {
  const starts = [...line.matchAll(/[^\s,]+/g)].map((match) => match.index)
  return starts[starts.length - count]!
}
