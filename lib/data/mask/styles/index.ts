/**
 * The table of mask styles.
 * @module
 */
import type { MaskStyle } from '../style.js'
import { cloth, patterned } from './cloth.js'
import { respirator } from './respirator.js'
import { surgical } from './surgical.js'

/** Every style, in the order of listings. */
export const MASK_STYLES: readonly MaskStyle[] = [surgical, cloth, patterned, respirator]
