// Every head's formula, and the words they are written in. N batch, D embedding, K classes.
#pragma once

#include <ATen/TensorOperators.h>

#include "heads/reference/form.h"

namespace facex::heads::reference {

Logits ada_cos(const Inputs& in);
Logits ada_face(const Inputs& in);
Logits adam_softmax(const Inputs& in);
Logits am_softmax(const Inputs& in);
Logits arc_face(const Inputs& in);
Logits arc_neg_face(const Inputs& in);
Logits circle_loss(const Inputs& in);
Logits combined_margin(const Inputs& in);
Logits curricular_face(const Inputs& in);
Logits elastic_face(const Inputs& in);
Logits expression(const Inputs& in);
Logits mag_face(const Inputs& in);
Logits mv_softmax(const Inputs& in);
Logits npc_face(const Inputs& in);
Logits softmax(const Inputs& in);
Logits sub_center_arc_face(const Inputs& in);

// x / |x| by rows; rows without length stay 0.
Tensor unit_rows(const Tensor& x);

// a [N, D] * b [M, D]^T, in bfloat16 where the head's options ask for it.
Tensor products(const Inputs& in, const Tensor& a, const Tensor& b);

// Cosines [N, K] of embeddings and class centres, in [-1, 1]; of several centres a class, the nearest one's.
Tensor cosines(const Inputs& in);

// |x| by rows, [N, 1].
Tensor lengths(const Tensor& x);

// Entry of the own class, [N, 1].
Tensor own(const Tensor& cosines, const OwnClasses& labels);

// `cosines` with the entry of the own class replaced by `value` [N, 1].
Tensor with_own(const Tensor& cosines, const OwnClasses& labels, const Tensor& value);

// sin(theta) from cos(theta); see [Note: the sine at cos = ±1] in fused/margin.h.
Tensor sine(const Tensor& cosine);

// cos(theta + m) from cos(theta); m is a number or a tensor [N, 1].
Tensor add_angle(const Tensor& cosine, double margin);
Tensor add_angle(const Tensor& cosine, const Tensor& margin);

// add_angle where theta + m stays below pi, cos(theta) - fallback beyond.
Tensor add_angle_guarded(const Tensor& cosine, double margin, double fallback);

// Replaces an adaptive buffer's value when the step adapts; returns the value to use.
Tensor adapted(const Inputs& in, const std::string& name, const Tensor& value);

}  // namespace facex::heads::reference
