// Bilinear resampling of uint8 images in fixed-point arithmetic, pixel for pixel what OpenCV computes: training images
// then look the same here and in the Python programs whose results are compared with ours.
#pragma once

#include <array>

#include "data/image.h"

namespace facex::data {

struct Box {
  int top = 0;
  int left = 0;
  int bottom = 0;  // exclusive
  int right = 0;   // exclusive
};

// Resizes the part of `from` inside `box` to height x width, half-pixel centres, no anti-aliasing.
void resize(const Image& from, Box box, int height, int width, Image& to);
void resize(const Image& from, int height, int width, Image& to);

// Row-major 2x3; maps source coordinates to destination coordinates.
using Affine = std::array<double, 6>;

// Destination pixels whose source lies outside are 0.
void warp_affine(const Image& from, const Affine& matrix, int height, int width, Image& to);

// Counter-clockwise about the centre of the pixel grid, ((width - 1) / 2, (height - 1) / 2).
Affine rotation_about_centre(int height, int width, double degrees);
// Clockwise about pixel (0, 0): FaceX-Zoo's rotation, which moves the face as well. For published numbers.
Affine rotation_about_corner(double degrees);

}  // namespace facex::data
