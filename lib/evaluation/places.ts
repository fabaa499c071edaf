/**
 * Errors about images of a list: models name the file, and here the line that names it comes in front.
 * @module
 */
import { FacexError, fromNative } from '../errors.js'
import type { Images } from './pair-set.js'

/**
 * Runs `work`, which embeds `images` or a part of them.
 * @param place list and line that name an image, such as `pairs.txt:12`
 * @throws FacexError what `work` throws, with the place where it is about one of the images
 */
export async function withPlaces<T>(images: Images, place: (image: number) => string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    const error = fromNative(thrown)
    if (!(error instanceof FacexError) || error.code !== 'ERR_DATA') throw error
    const image = images.findIndex((one, index) => error.message.startsWith(`${imageName(one, index)}: `))
    throw image < 0 ? error : new FacexError('ERR_DATA', `${place(image)}: ${error.message}`, { cause: error })
  }
}

/** How models call an image in errors: a file by its path, a content by its number. */
function imageName(image: string | Uint8Array, index: number): string {
  return typeof image === 'string' ? image : `image ${index}`
}
