#include "heads/fused/fused_head.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros_like.h>

namespace facex::heads::fused {

namespace {

// Classes multiplied at a time: their centres (4 MiB at D = 512) stay in the cache between norm, product and gradient.
constexpr int64_t kBlock = 2048;
constexpr int64_t kGrain = 64;  // centres a thread takes at least

// Shorter vectors have no direction: their cosines and gradients are 0.
constexpr double kShortest = 1e-12;

template <typename T>
T dot(const T* __restrict__ a, const T* __restrict__ b, int64_t n) {
  constexpr int64_t kLanes = 16;  // independent sums, for vector registers
  T sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  T total = 0;
  for (; i < n; ++i) total += a[i] * b[i];
  for (const T sum : sums) total += sum;
  return total;
}

template <typename T>
T inverse(T norm) {
  return norm < T(kShortest) ? T(0) : 1 / norm;
}

// Calls visit(first, count) for consecutive blocks of centres.
template <typename Visit>
void for_blocks(int64_t centres, const Visit& visit) {
  for (int64_t first = 0; first < centres; first += kBlock) visit(first, std::min(kBlock, centres - first));
}

// products = unit * centres^T, and the inverse lengths of the centres on the way.
template <typename T>
void multiply(const Tensor& unit, const Tensor& centres, bool spherical, Tensor& products, Tensor& inverse_norms) {
  const int64_t dims = centres.size(1);
  const T* centre = centres.const_data_ptr<T>();
  T* inverse_norm = inverse_norms.mutable_data_ptr<T>();
  for_blocks(centres.size(0), [&](int64_t first, int64_t count) {
    at::parallel_for(first, first + count, kGrain, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) {
        const T* w = centre + c * dims;
        inverse_norm[c] = spherical ? inverse(std::sqrt(dot(w, w, dims))) : T(1);
      }
    });
    Tensor block = products.narrow(1, first, count);
    at::mm_out(block, unit, centres.narrow(0, first, count).t());
  });
}

// Projects a block of d loss / d (unit centre) to d loss / d centre and stores it in, or adds it to, `out`.
template <typename T>
void project(const T* centres, const T* inverse_norms, const T* grad, T* out, int64_t count, int64_t dims, bool spherical, bool add) {
  at::parallel_for(0, count, kGrain, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      const T* __restrict__ w = centres + c * dims;
      const T* a = grad + c * dims;
      T* d = out + c * dims;
      const T along = spherical ? dot(w, a, dims) * inverse_norms[c] * inverse_norms[c] : T(0);
      if (add) {
        for (int64_t k = 0; k < dims; ++k) d[k] += a[k] - along * w[k];
      } else {
        for (int64_t k = 0; k < dims; ++k) d[k] = a[k] - along * w[k];
      }
    }
  });
}

}  // namespace

template <typename T>
FusedHead<T>::FusedHead(const Definition& definition, const HeadOptions& options, bool spherical)
    : definition_(definition), options_(options), state_(make_state(definition, options)), spherical_(spherical) {}

template <typename T>
HeadResult FusedHead<T>::run(const HeadRequest& request) {
  const at::NoGradGuard no_grad;
  check_request(request, options_);
  Entry& entry = *state_.find(definition_.centres.name);
  const Tensor centres = centre_rows(entry.value, definition_.centres.shape);
  const int64_t n = request.embeddings.size(0), m = centres.size(0);
  const auto type = centres.options();

  std::vector<Row<T>> rows(n);
  const Tensor unit = normalise(request.embeddings.to(type.dtype()).contiguous(), request.labels.contiguous(), rows);
  if (!products_.defined() || products_.size(0) != n) products_ = at::empty({n, m}, type);
  if (!inverse_norms_.defined()) inverse_norms_ = at::empty({m}, type);
  multiply<T>(unit, centres, spherical_, products_, inverse_norms_);

  const Cosines<T> cosines{products_.mutable_data_ptr<T>(), n, options_.num_class, m / options_.num_class,
                           inverse_norms_.const_data_ptr<T>(), spherical_};
  for (Row<T>& row : rows) {
    row.position = cosines.locate(row.index, row.label);
    row.cosine = cosines.at(row.index, row.position);
  }

  HeadResult result;
  if (request.logits) result.logits = at::empty({n, options_.num_class}, type);
  Step<T> step{rows, cosines, state_, static_cast<T>(request.grad_scale), request.adapt, request.gradients};
  const double extra = margin_softmax(step, request.logits ? result.logits.template mutable_data_ptr<T>() : nullptr);

  double loss = 0;
  for (const Row<T>& row : rows) loss += row.loss;
  loss /= static_cast<double>(n);
  if (!std::isnan(extra)) result.extra_loss = at::scalar_tensor(extra, type);
  result.loss = at::scalar_tensor(std::isnan(extra) ? loss : loss + extra, type);
  if (request.gradients) {
    Tensor unit_grad = at::zeros_like(unit);
    centre_gradient(entry, centres, unit, unit_grad);
    result.grad_embeddings = embedding_gradient(unit_grad, unit, rows);
  }
  return result;
}

template <typename T>
Tensor FusedHead<T>::normalise(const Tensor& embeddings, const Tensor& labels, std::vector<Row<T>>& rows) const {
  const int64_t dims = embeddings.size(1);
  const int64_t* label = labels.const_data_ptr<int64_t>();
  Tensor unit = at::empty_like(embeddings);
  for (size_t i = 0; i < rows.size(); ++i) {
    Row<T>& row = rows[i];
    const T* x = embeddings.const_data_ptr<T>() + i * dims;
    T* u = unit.mutable_data_ptr<T>() + i * dims;
    row.index = static_cast<int64_t>(i);
    row.label = label[i];
    row.norm = std::sqrt(dot(x, x, dims));
    row.inverse_norm = spherical_ ? inverse(row.norm) : T(1);
    for (int64_t k = 0; k < dims; ++k) u[k] = x[k] * row.inverse_norm;
  }
  return unit;
}

template <typename T>
Tensor FusedHead<T>::embedding_gradient(const Tensor& unit_grad, const Tensor& unit, const std::vector<Row<T>>& rows) const {
  if (!spherical_) return unit_grad;
  const int64_t dims = unit.size(1);
  Tensor result = at::empty_like(unit);
  for (const Row<T>& row : rows) {
    const T* g = unit_grad.const_data_ptr<T>() + row.index * dims;
    const T* u = unit.const_data_ptr<T>() + row.index * dims;
    T* out = result.mutable_data_ptr<T>() + row.index * dims;
    const T along = dot(g, u, dims);
    for (int64_t k = 0; k < dims; ++k) out[k] = (g[k] - u[k] * along) * row.inverse_norm + u[k] * row.norm_grad;
  }
  return result;
}

template <typename T>
void FusedHead<T>::centre_gradient(Entry& entry, const Tensor& centres, const Tensor& unit, Tensor& unit_grad) {
  const int64_t dims = centres.size(1);
  const bool add = entry.grad.defined();
  if (!add) {
    // Ours again when the optimizer has let go of it.
    if (!centre_grad_.defined() || centre_grad_.storage().use_count() > 1) centre_grad_ = at::empty_like(centres);
    entry.grad = definition_.centres.shape == CentreShape::kColumns ? centre_grad_.t() : centre_grad_.view(centre_grad_.sizes());
  }
  const Tensor grad = centre_rows(entry.grad, definition_.centres.shape);
  Tensor scratch = add ? at::empty({std::min(kBlock, centres.size(0)), dims}, centres.options()) : Tensor();
  for_blocks(centres.size(0), [&](int64_t first, int64_t count) {
    const Tensor product_grad = products_.narrow(1, first, count);
    const Tensor block = centres.narrow(0, first, count);
    at::addmm_out(unit_grad, unit_grad, product_grad, block);
    Tensor out = grad.narrow(0, first, count);
    Tensor fresh = add ? scratch.narrow(0, 0, count) : out;
    at::mm_out(fresh, product_grad.t(), unit);
    project<T>(block.const_data_ptr<T>(), inverse_norms_.const_data_ptr<T>() + first, fresh.const_data_ptr<T>(),
               out.mutable_data_ptr<T>(), count, dims, spherical_, add);
  });
}

template class FusedHead<float>;
template class FusedHead<double>;

}  // namespace facex::heads::fused
