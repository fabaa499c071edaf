// A textured surface of triangles drawn over an image, as masks are put on faces: hidden parts by depth, smooth edges by
// sampling each pixel several times, a soft shadow on what lies under the edge.
#pragma once

#include <vector>

#include "data/image.h"

namespace facex::data {

// RGBA, rows without padding, alpha not multiplied in.
struct Texture {
  int height = 0;
  int width = 0;
  std::vector<uint8_t> pixels;
};

struct Surface {
  // x, y in pixels, z towards the viewer (in any unit); one triple a vertex.
  std::vector<float> positions;
  // Place in the texture, from 0 to 1 across and down; one pair a vertex.
  std::vector<float> places;
  // What the texture's colour is multiplied by; one number a vertex.
  std::vector<float> light;
  // Three vertices each. Only triangles that turn clockwise on the image (y down) are seen from the front and drawn; also
  // where the texture is transparent they hide what lies behind.
  std::vector<uint32_t> triangles;
};

struct SurfaceStyle {
  double softness = 0;  // standard deviation of the blur of surface and edge, in pixels
  double shadow = 0;    // share of the light that the edge's shadow takes, 0 to 1
  double shadow_reach = 0;  // standard deviation of the shadow's blur, in pixels
  double grain = 0;     // standard deviation of the noise on the surface, in levels
  uint64_t seed = 0;    // of the noise
  bool grey = false;    // draw in shades of grey
};

// Draws in place. Throws kConfig when the parts do not fit together.
void draw_surface(Image& image, Color color, const Surface& surface, const Texture& texture, const SurfaceStyle& style);

}  // namespace facex::data
