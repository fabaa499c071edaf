/**
 * Puts a mask on a face in a picture: the worn surface is placed by the landmarks, lit as the face is lit, and drawn.
 * @module
 */
import { addon, type NativeTensor } from '../../native.js'
import type { FaceLandmarks } from '../landmarks.js'
import { Draw } from '../synthetic/draw.js'
import { FaceFit } from './face-fit.js'
import { FaceLight } from './face-light.js'
import type { MaskStyle } from './style.js'
import { VARIANTS, type MaskTextures } from './textures.js'
import type { Point3 } from './vector.js'
import { surfaceGrid, type Fullness, type SurfacePoint } from './worn-surface.js'

/** Cells of the surface from ear to ear and from the upper to the lower edge. */
const COLUMNS = 48
const ROWS = 20

/**
 * The picture with a mask.
 * @param picture uint8 [H, W, 3], RGB
 * @param seed decides the variant of the style and how the mask sits
 */
export async function wearMask(picture: NativeTensor, landmarks: FaceLandmarks, style: MaskStyle, textures: MaskTextures, seed: number): Promise<NativeTensor> {
  const draw = new Draw(seed, 3)
  const texture = await textures.of(style, draw.below(VARIANTS))
  const fit = new FaceFit(landmarks)
  const light = new FaceLight(picture, fit)
  const grid = gridOf(style.fullness)
  const seat = sitting(draw)
  return addon().drawSurface(picture, {
    positions: Float32Array.from(grid.flatMap((point) => fit.pixel(seat(point)))),
    places: Float32Array.from(grid.flatMap(({ u, v }) => [(u + 1.5) / 3, v])),
    light: Float32Array.from(grid, ({ normal }) => light.on(fit.direction(normal))),
    triangles: TRIANGLES,
    texture,
    // A camera's own blur; more of it in larger pictures, which are seldom sharp to the pixel.
    softness: Math.max(0.35, 0.45 * fit.scale),
    shadow: draw.between(0.35, 0.55),
    shadowReach: 2.6 * fit.scale,
    grain: 0.8 * light.noise,
    seed,
    grey: light.grey,
  })
}

/** The surfaces of the styles, made once each. */
const grids = new Map<Fullness, readonly SurfacePoint[]>()

function gridOf(fullness: Fullness): readonly SurfacePoint[] {
  const grid = grids.get(fullness) ?? surfaceGrid(COLUMNS, ROWS, fullness)
  grids.set(fullness, grid)
  return grid
}

/** No mask sits like another: a few millimetres higher or lower, wider or narrower, a little askew. */
function sitting(draw: Draw): (point: SurfacePoint) => Point3 {
  const lower = draw.around(0, 2.5)
  const askew = draw.around(0, 0.02)
  const wider = draw.around(1.02, 0.03)
  return ({ u, v, at: [x, y, z] }) => {
    // The loops' ends stay where the ears are.
    const held = Math.max(0, Math.min(1, 3 - 2 * Math.abs(u)))
    return [x * (1 + held * (wider - 1)), y + held * (lower * (1 - v) + askew * x), z]
  }
}

/** Two a cell, clockwise as seen from the front. */
const TRIANGLES = Uint32Array.from({ length: ROWS * COLUMNS }, (_, cell) => Math.floor(cell / COLUMNS) * (COLUMNS + 1) + (cell % COLUMNS)).reduce(
  (all, corner, cell) => {
    all.set([corner, corner + 1, corner + COLUMNS + 1, corner + 1, corner + COLUMNS + 2, corner + COLUMNS + 1], 6 * cell)
    return all
  },
  new Uint32Array(ROWS * COLUMNS * 6),
)
