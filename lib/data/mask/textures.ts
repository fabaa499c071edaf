/**
 * The styles' drawings as pixels. Each style is drawn in a few variants, which differ in colour, print and wrinkles and
 * are kept: an image picks one, so that a million images need no million drawings.
 * @module
 */
import { readFile } from 'node:fs/promises'

import sharp from 'sharp'

import { FacexError, messageOf } from '../../errors.js'
import type { NativeTensor } from '../../native.js'
import { Draw } from '../synthetic/draw.js'
import { crease, DEFINITIONS, earLoops, fill, stroke, wrinkles } from './drawing.js'
import { EAR, HALF_WIDTH, HEIGHT, type MaskStyle } from './style.js'

const PIXELS_PER_MM = 2.5

/** Drawings of a style that are kept. */
export const VARIANTS = 16

export class MaskTextures {
  readonly #drawn = new Map<string, Promise<NativeTensor>>()

  /** uint8 [H, W, 4] over the whole surface, ear to ear. */
  of(style: MaskStyle, variant: number): Promise<NativeTensor> {
    const key = `${style.name} ${variant}`
    const known = this.#drawn.get(key)
    if (known !== undefined) return known
    const drawing = rasterised(style.draw(new Draw(variant, style.name.length, style.name.charCodeAt(0))))
    this.#drawn.set(key, drawing)
    return drawing
  }
}

async function rasterised(elements: string): Promise<NativeTensor> {
  const [width, height] = [2 * EAR * PIXELS_PER_MM, HEIGHT * PIXELS_PER_MM]
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${-EAR} 0 ${2 * EAR} ${HEIGHT}" preserveAspectRatio="none"><defs>${DEFINITIONS}</defs>${elements}</svg>`
  const { data, info } = await sharp(Buffer.from(svg)).ensureAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
  return { name: 'texture', dtype: 'uint8', shape: [info.height, info.width, 4], data: new Uint8Array(data).buffer }
}

/**
 * A style whose cloth is a picture, stretched over the mask from edge to edge; transparent parts stay skin.
 * @throws FacexError ERR_DATA when the file is no picture
 */
export async function pictureStyle(file: string): Promise<MaskStyle> {
  let png: Buffer
  try {
    png = await sharp(await readFile(file)).resize({ width: 850, height: 550, fit: 'fill' }).png().toBuffer()
  } catch (cause) {
    throw new FacexError('ERR_DATA', `${file}: the mask's picture cannot be read: ${messageOf(cause)}`, { cause })
  }
  const cut = `M-84,8 C-60,3 -30,0 0,0 C30,0 60,3 84,8 L80,98 C60,106 30,110 0,110 C-30,110 -60,106 -80,98 Z`
  const image = `<image href="data:image/png;base64,${png.toString('base64')}" x="${-HALF_WIDTH}" y="0" width="${2 * HALF_WIDTH}" height="${HEIGHT}" preserveAspectRatio="none" clip-path="url(#cut)"/>`
  return {
    name: file,
    summary: 'a picture of your own',
    fullness: { stand: 4, ridge: false },
    draw: (draw) =>
      [
        `<defs><clipPath id="cut"><path d="${cut}"/></clipPath></defs>`,
        earLoops([230, 230, 230], 3.5, { upper: 14, lower: 94 }),
        image,
        `<g clip-path="url(#cut)">${fill(cut, 'url(#hollow)')}${wrinkles(draw, 8, 0.25)}${crease('M-28,6 Q0,2 28,6', 3, 0.2)}</g>`,
        stroke(cut, '#000', 0.7, 0.3),
      ].join(''),
  }
}
