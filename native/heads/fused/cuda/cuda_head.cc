#include "heads/fused/cuda/cuda_head.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/ones.h>
#include <c10/core/DeviceGuard.h>

#include "core/cuda/library.h"
#include "heads/fused/cuda/margin_softmax_table.h"
#include "heads/fused/geometry.h"

namespace facex::heads::fused::cuda {

namespace {

constexpr int64_t kLeastPiece = 2048;  // classes that a block takes at least
constexpr int64_t kMostPieces = 64;

const HeadTable& table() {
  static const auto& found = facex::cuda::table_as<HeadTable>("heads");
  return found;
}

void check(const char* problem, const char* what) {
  if (problem != nullptr) fail(ErrorCode::kNative, "CUDA, ", what, ": ", problem);
}

// 1 / |x| by rows, 0 for rows without length; all 1 where not spherical.
Tensor inverse_lengths(const Tensor& x, bool spherical) {
  if (!spherical) return at::ones({x.size(0)}, x.options());
  const Tensor lengths = at::linalg_vector_norm(x, 2, {1});
  return lengths.reciprocal().masked_fill_(lengths < kShortest, 0);
}

// The own class of each row: columns [N] int64 of the buffer, and cosines [N].
struct Own {
  Tensor position, cosine;
};

Own locate(const Tensor& products, const Tensor& inverse_norms, const Tensor& labels, int64_t per_class, bool spherical) {
  const Tensor columns = labels.unsqueeze(1) * per_class + at::arange(per_class, labels.options());
  Tensor cosines = products.gather(1, columns) * inverse_norms.take(columns);
  if (spherical) cosines.clamp_(-1, 1);
  const auto [best, which] = cosines.max(1, /*keepdim=*/true);
  return {columns.gather(1, which).squeeze(1), best.squeeze(1)};
}

}  // namespace

template <typename T>
HeadResult CudaHead<T>::run(const HeadRequest& request) {
  const at::NoGradGuard no_grad;
  check_request(request, options_);
  Entry& entry = *state_.find(definition_.centres.name);
  const Tensor centres = centre_rows(entry.value, definition_.centres.shape);
  const c10::DeviceGuard guard(centres.device());
  const int64_t n = request.embeddings.size(0), m = centres.size(0), classes = options_.num_class;
  const auto type = centres.options();
  const bool bf16 = options_.bf16_products;

  const Tensor embeddings = request.embeddings.to(type.dtype()).contiguous(), lengths = at::linalg_vector_norm(embeddings, 2, {1});
  const Tensor inverse_length = inverse_lengths(embeddings, spherical_), inverse_norms = inverse_lengths(centres, spherical_);
  const Tensor unit = embeddings * inverse_length.unsqueeze(1);
  if (!products_.defined() || products_.size(0) != n) products_ = at::empty({n, m}, type);
  put_product(products_, operand(unit, bf16), operand(centres, bf16).t());

  const Tensor labels = request.labels.to(centres.device()).contiguous();
  const Own own = locate(products_, inverse_norms, labels, m / classes, spherical_);
  const Tensor numbers = at::cat({own.cosine, lengths}).to(at::kCPU);  // waits for the device
  std::vector<Row<T>> rows(n);
  for (int64_t i = 0; i < n; ++i) {
    rows[i].index = i;
    rows[i].cosine = numbers.const_data_ptr<T>()[i];
    rows[i].norm = numbers.const_data_ptr<T>()[n + i];
  }
  const Cosines<T> elsewhere;  // the policies may not read the buffer
  Step<T> step{rows, elsewhere, state_, static_cast<T>(request.grad_scale), request.adapt, request.gradients, classes};
  prepare(step);
  Tensor sent = at::empty({4, n}, numbers.options());
  for (const Row<T>& row : rows) {
    const TargetLogit<T> target = this->target(row);
    T* number = sent.mutable_data_ptr<T>() + row.index;
    number[0] = target.value, number[n] = target.slope, number[2 * n] = row.threshold, number[3 * n] = target.norm_slope;
  }
  sent = sent.to(centres.device());

  HeadResult result;
  if (request.logits) result.logits = at::empty({n, classes}, type);
  const int64_t pieces = std::clamp<int64_t>(classes / kLeastPiece, 1, kMostPieces);
  const Tensor partial = at::empty({n, pieces, 2}, type), losses = at::empty({2, n}, type), target_grad = losses[1];
  check(table().margin_softmax({.is_double = std::is_same_v<T, double>, .spherical = spherical_, .gradients = request.gradients,
                                .form = form(),
                                .rows = n, .classes = classes, .centres_per_class = m / classes,
                                .pieces = pieces, .length = (classes + pieces - 1) / pieces,
                                .row_scale = static_cast<double>(step.row_scale()),
                                .row = {.label = labels.const_data_ptr<int64_t>(), .position = own.position.const_data_ptr<int64_t>(),
                                        .target = sent[0].const_data_ptr(), .slope = sent[1].const_data_ptr(), .threshold = sent[2].const_data_ptr()},
                                .inverse_norms = inverse_norms.const_data_ptr(),
                                .partial = partial.mutable_data_ptr(),
                                .products = products_.mutable_data_ptr(),
                                .loss = losses.mutable_data_ptr(), .target_grad = target_grad.mutable_data_ptr(),
                                .logits = request.logits ? result.logits.mutable_data_ptr() : nullptr},
                               facex::cuda::device().stream()),
        "margin softmax");
  const double extra = finish(step);
  result.loss = losses[0].mean();
  if (!std::isnan(extra)) {
    result.extra_loss = at::full({}, extra, type);
    result.loss = result.loss + extra;
  }
  if (!request.gradients) return result;

  const bool add = entry.grad.defined();
  if (!add) entry.grad = lend_gradient(centres);
  const Tensor product_grad = operand(products_, bf16), centre_grad = centre_rows(entry.grad, definition_.centres.shape);
  Tensor unit_grad = at::empty_like(unit), fresh = add ? at::empty_like(centre_grad) : centre_grad;
  put_product(unit_grad, product_grad, operand(centres, bf16));
  put_product(fresh, product_grad.t(), operand(unit, bf16));
  if (spherical_) {
    check(table().project({.is_double = std::is_same_v<T, double>, .add = add, .centres = m, .dims = centres.size(1),
                           .centre = centres.const_data_ptr(), .inverse_norms = inverse_norms.const_data_ptr(), .grad = fresh.const_data_ptr(),
                           .out = centre_grad.mutable_data_ptr()},
                          facex::cuda::device().stream()),
          "gradient of the centres");
  } else if (add) {
    centre_grad.add_(fresh);
  }
  result.grad_embeddings = unit_grad;
  if (!spherical_) return result;

  // d loss / d |x|: through the target logit on the device, and what finish() has added on the CPU.
  Tensor by_length = target_grad * sent[3];
  if (std::any_of(rows.begin(), rows.end(), [](const Row<T>& row) { return row.norm_grad != 0; })) {
    Tensor more = at::empty({n}, numbers.options());
    for (const Row<T>& row : rows) more.mutable_data_ptr<T>()[row.index] = row.norm_grad;
    by_length += more.to(centres.device());
  }
  const Tensor along = (unit_grad * unit).sum(1, /*keepdim=*/true);
  result.grad_embeddings = (unit_grad - unit * along) * inverse_length.unsqueeze(1) + unit * by_length.unsqueeze(1);
  return result;
}

template class CudaHead<float>;
template class CudaHead<double>;

}  // namespace facex::heads::fused::cuda
