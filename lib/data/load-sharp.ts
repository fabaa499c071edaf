/**
 * sharp, from the first picture on that needs it: loading takes a quarter of a second, and most training runs need none.
 * @module
 */
export const loadSharp = async () => (await import('sharp')).default
