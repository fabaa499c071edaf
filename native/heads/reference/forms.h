// Every head's formula, and the words they are written in. N batch, D embedding, K classes.
#pragma once

#include <ATen/TensorOperators.h>

#include "heads/reference/form.h"

namespace facex::heads::reference {

Logits softmax(const Inputs& in);
Logits am_softmax(const Inputs& in);
Logits arc_face(const Inputs& in);

// x / |x| by rows; rows without length stay 0.
Tensor unit_rows(const Tensor& x);

// Cosines [N, K] of embeddings and class centres, in [-1, 1].
Tensor cosines(const Inputs& in);

// Entry of the own class, [N, 1].
Tensor own(const Tensor& cosines, const Tensor& labels);

// `cosines` with the entry of the own class replaced by `value` [N, 1].
Tensor with_own(const Tensor& cosines, const Tensor& labels, const Tensor& value);

// sin(theta) from cos(theta); see [Note: the sine at cos = ±1] in fused/margin.h.
Tensor sine(const Tensor& cosine);

// cos(theta + m) from cos(theta); m is a number or a tensor [N, 1].
Tensor add_angle(const Tensor& cosine, double margin);
Tensor add_angle(const Tensor& cosine, const Tensor& margin);

}  // namespace facex::heads::reference
