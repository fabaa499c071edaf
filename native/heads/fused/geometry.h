// The linear algebra around the margin: unit embeddings, products with class centres, and the way back.
#pragma once

#include "core/tensor.h"
#include "heads/fused/rows.h"

namespace facex::heads::fused {

// Shorter vectors have no direction: their cosines and gradients are 0.
inline constexpr double kShortest = 1e-12;

// `x` as matrix products take it: rounded to bfloat16 where asked for.
Tensor operand(const Tensor& x, bool bf16);

// out = a * b; the operands may be narrower than `out`.
void put_product(Tensor& out, const Tensor& a, const Tensor& b);

// Embeddings [N, D] of length 1; fills index, norm and inverse norm of the rows. An embedding without length becomes
// 0. Not spherical: the embeddings themselves.
template <typename T>
Tensor normalise(const Tensor& embeddings, bool spherical, std::vector<Row<T>>& rows);

// products [N, M] = unit [N, D] * centres [M, D]^T, and the inverse lengths [M] of the centres on the way (1 where not
// spherical). With `bf16`, here and below, the operands of each matrix product are rounded to bfloat16, a block at a
// time.
template <typename T>
void multiply(const Tensor& unit, const Tensor& centres, bool spherical, bool bf16, Tensor& products, Tensor& inverse_norms);

// From d loss / d products to unit_grad [N, D] = d loss / d unit, and to d loss / d centres, which is stored in
// centre_grad [M, D] or added to it.
template <typename T>
void backward_products(const Tensor& product_grad, const Tensor& unit, const Tensor& centres, const Tensor& inverse_norms,
                       bool spherical, bool bf16, Tensor& unit_grad, const Tensor& centre_grad, bool add);

// d loss / d embeddings from d loss / d unit and the rows' norm_grad.
template <typename T>
Tensor embedding_gradient(const Tensor& unit_grad, const Tensor& unit, bool spherical, const std::vector<Row<T>>& rows);

}  // namespace facex::heads::fused
