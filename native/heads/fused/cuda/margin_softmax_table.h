// The CUDA kernels of the fused heads as facex_cuda.so offers them: pointers and sizes, no tensors. T below is float or
// double, for all pointers of a call alike.
#pragma once

#include <cstdint>

#include "heads/fused/others.h"

namespace facex::heads::fused::cuda {

// What a row brings along: [N] each.
struct RowNumbers {
  const int64_t *label, *position;  // own class, and the column of the buffer that holds it
  const void *target, *slope;       // logit of the own class, and its slope by the cosine
  const void* threshold;            // of the other classes' form
};

// Margin softmax of the buffer [N, M] of embedding-centre products, M = K * centres_per_class, and its gradient in place.
struct MarginSoftmaxCall {
  bool is_double, spherical, gradients;
  AnyForm form;                   // of the other classes' logits, in T
  int64_t rows, classes, centres_per_class;
  int64_t pieces, length;         // a row is worked on by `pieces` blocks, of `length` classes each
  double row_scale;               // d (scaled loss) / d (loss of a row)
  RowNumbers row;
  const void* inverse_norms;      // [M]
  void* partial;                  // [N, pieces, 2]: maximum and sum of each piece
  void* products;                 // [N, M]; d loss / d product afterwards
  void *loss, *target_grad;       // [N], written
  void* logits;                   // [N, K], or null
};

// From d loss / d (unit centre) to d loss / d centre, by rows [M, D]; stored in `out` or added to it. `grad` may be `out`.
struct ProjectCall {
  bool is_double, add;
  int64_t centres, dims;
  const void *centre, *inverse_norms, *grad;
  void* out;
};

// Each launches on `stream` and returns CUDA's error text, or null.
struct HeadTable {
  const char* (*margin_softmax)(const MarginSoftmaxCall& call, void* stream);
  const char* (*project)(const ProjectCall& call, void* stream);
};

}  // namespace facex::heads::fused::cuda
