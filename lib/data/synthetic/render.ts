/**
 * One image: the drawing composed as SVG, rasterised by sharp, then what a camera does to it.
 * @module
 */
import { loadSharp } from '../load-sharp.js'
import { css } from './color.js'
import { Draw } from './draw.js'
import { brows, eyes, glasses, mouth, nose, skinDetails } from './features.js'
import { beard, behind, hairInFront, shadow, skinGradient, skull } from './head.js'
import type { Identity } from './identity.js'
import { Projection } from './pose.js'
import { SIZE, type Scene } from './scene.js'
import { definitions } from './svg.js'

/** The drawing, without the camera's part. */
export function faceSvg(identity: Identity, scene: Scene): string {
  const at = new Projection(scene.pose)
  const [from, to] = scene.background
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${SIZE}" height="${SIZE}"><defs>${definitions()}${skinGradient(identity, scene)}`,
    `<linearGradient id="background" x2="0.6" y2="1"><stop stop-color="${css(from)}"/><stop offset="1" stop-color="${css(to)}"/></linearGradient></defs>`,
    `<rect width="${SIZE}" height="${SIZE}" fill="url(#background)"/>`,
    behind(identity, scene, at),
    skull(identity, at),
    skinDetails(identity, scene, at),
    beard(identity, at),
    mouth(identity, scene, at),
    nose(identity, scene, at),
    eyes(identity, scene, at),
    brows(identity, scene, at),
    hairInFront(identity, at),
    glasses(identity, scene, at),
    shadow(scene),
    '</svg>',
  ].join('')
}

/** A JPEG of {@link SIZE} x {@link SIZE} pixels. */
export async function renderFace(identity: Identity, scene: Scene): Promise<Buffer> {
  const sharp = await loadSharp()
  const drawn = sharp(Buffer.from(faceSvg(identity, scene))).removeAlpha()
  if (scene.camera.blur > 0) drawn.blur(scene.camera.blur)
  const pixels = await drawn.toColourspace('srgb').raw().toBuffer()
  expose(pixels, scene)
  return sharp(pixels, { raw: { width: SIZE, height: SIZE, channels: 3 } }).jpeg({ quality: scene.camera.quality }).toBuffer()
}

/** Brightness, warmth, noise and, for some, no colour; in place. */
function expose(pixels: Buffer, { light, camera, seed }: Scene): void {
  const draw = new Draw(seed)
  const gains = [light.gain * (1 + light.warmth), light.gain, light.gain * (1 - light.warmth)]
  for (let at = 0; at < pixels.length; at += 3) {
    const gray = 0.299 * pixels[at]! + 0.587 * pixels[at + 1]! + 0.114 * pixels[at + 2]!
    for (let channel = 0; channel < 3; channel++) {
      // The sum of two uniform numbers is close enough to a normal one for a camera's noise.
      const noise = camera.noise * 1.2 * (draw.between(-1, 1) + draw.between(-1, 1))
      const value = (camera.gray ? gray : pixels[at + channel]!) * gains[channel]! + noise
      pixels[at + channel] = Math.max(0, Math.min(255, Math.round(value)))
    }
  }
}
