import t from 'tap'

import { nearest } from '../lib/errors.js'

t.equal(nearest('ArcFase', ['ArcFace', 'MagFace']), 'ArcFace', 'a typo finds the nearest name')
