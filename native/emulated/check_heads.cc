#include <array>
#include <functional>
#include <string>

#include "emulated/check.h"
#include "heads/fused/cuda/margin_softmax_table.h"

extern "C" const void* facex_cuda_heads();

namespace facex::emulated {

namespace {

using namespace heads::fused;

struct Shape {
  int64_t rows, classes, centres_per_class, pieces;
  bool spherical;
};

template <typename T>
struct Case {
  const char* name;
  AnyForm form;
  std::function<double(double cosine, double threshold)> value, slope;
};

template <typename T>
std::array<Case<T>, 5> cases() {
  const double s = 16, w = 1.25, o = 0.25, t = 0.375, m = 0.25, alpha = 1.25, inverse_sigma = 0.5;  // exact in float32
  const auto r = [=](double c, double a) { return alpha * std::exp(-(c - a) * (c - a) * inverse_sigma); };
  return {{
      {"scaled", AnyForm::of(ScaledOthers<T>{T(s)}), [=](double c, double) { return s * c; }, [=](double, double) { return s; }},
      {"mined", AnyForm::of(MinedOthers<T>{T(s), T(w), T(o)}), [=](double c, double a) { return c > a ? s * (w * c + o) : s * c; }, [=](double c, double a) { return c > a ? s * w : s; }},
      {"curricular", AnyForm::of(CurricularOthers<T>{T(s), T(t)}), [=](double c, double a) { return c > a ? s * c * (t + c) : s * c; }, [=](double c, double a) { return c > a ? s * (t + 2 * c) : s; }},
      {"circle", AnyForm::of(CircleOthers<T>{T(s), T(m)}), [=](double c, double) { return s * std::max(c + m, 0.0) * (c - m); }, [=](double c, double) { return s * std::max(c + m, 0.0); }},
      {"arc-neg", AnyForm::of(ArcNegOthers<T>{T(s), T(alpha), T(inverse_sigma)}), [=](double c, double a) { return s * (r(c, a) * c + r(c, a) - 1); }, [=](double c, double a) { return s * r(c, a); }},
  }};
}

template <typename T>
void check_case(Report& report, const Case<T>& given, const Shape& shape) {
  const auto [rows, classes, per_class, pieces, spherical] = shape;
  const int64_t m = classes * per_class;
  auto products = stored<T>(normal(rows * m, 0.5));
  const auto inverse = stored<T>(spherical ? normal(m, 0.1, 1) : Values(m, 1));
  const auto target = stored<T>(normal(rows)), slope = stored<T>(normal(rows)), threshold = stored<T>(normal(rows, 0.3));
  std::vector<int64_t> label(rows), position(rows);
  const double row_scale = 0.375;

  Values logits(rows * classes), loss(rows), target_grad(rows), grad(rows * m);
  for (int64_t i = 0; i < rows; ++i) {
    std::vector<int64_t> best(classes);
    Values cosine(classes, -INFINITY);
    label[i] = static_cast<int64_t>(generator()() % static_cast<uint64_t>(classes));
    for (int64_t c = 0; c < m; ++c) {
      double found = static_cast<double>(static_cast<T>(products[i * m + c] * inverse[c]));
      if (spherical) found = std::min(std::max(found, -1.0), 1.0);
      if (found > cosine[c / per_class]) cosine[c / per_class] = found, best[c / per_class] = c;
    }
    position[i] = best[label[i]];
    double top = -INFINITY, sum = 0;
    for (int64_t j = 0; j < classes; ++j) {
      logits[i * classes + j] = j == label[i] ? static_cast<double>(target[i]) : given.value(cosine[j], threshold[i]);
      top = std::max(top, logits[i * classes + j]);
    }
    for (int64_t j = 0; j < classes; ++j) sum += std::exp(logits[i * classes + j] - top);
    loss[i] = top - target[i] + std::log(sum);
    for (int64_t j = 0; j < classes; ++j) {
      const double share = std::exp(logits[i * classes + j] - top) / sum;
      const bool own = j == label[i];
      if (own) target_grad[i] = row_scale * (share - 1);
      grad[i * m + best[j]] = (own ? target_grad[i] * slope[i] : row_scale * share * given.slope(cosine[j], threshold[i])) * inverse[best[j]];
    }
  }

  std::vector<T> partial(rows * pieces * 2), found_loss(rows), found_target(rows), found_logits(rows * classes);
  const auto& table = *static_cast<const cuda::HeadTable*>(facex_cuda_heads());
  table.margin_softmax({.is_double = std::is_same_v<T, double>, .spherical = spherical, .gradients = true, .form = given.form,
                        .rows = rows, .classes = classes, .centres_per_class = per_class, .pieces = pieces, .length = (classes + pieces - 1) / pieces,
                        .row_scale = row_scale,
                        .row = {label.data(), position.data(), target.data(), slope.data(), threshold.data()},
                        .inverse_norms = inverse.data(), .partial = partial.data(), .products = products.data(),
                        .loss = found_loss.data(), .target_grad = found_target.data(), .logits = found_logits.data()},
                       nullptr);
  const double tolerance = std::is_same_v<T, double> ? 1e-12 : 2e-6;
  const std::string name = std::string("margin softmax, ") + given.name + (per_class > 1 ? ", sub-centres" : "") + (pieces > 1 ? ", in pieces" : "");
  report.expect("logits", name.c_str(), widened(found_logits), logits, tolerance);
  report.expect("loss", name.c_str(), widened(found_loss), loss, tolerance);
  report.expect("gradient of the target", name.c_str(), widened(found_target), target_grad, tolerance);
  report.expect("gradient of the products", name.c_str(), widened(products), grad, 4 * tolerance);
}

template <typename T>
void check_projection(Report& report, bool add) {
  const int64_t m = 37, dims = 65;
  const auto centre = stored<T>(normal(m * dims)), grad = stored<T>(normal(m * dims));
  std::vector<T> inverse(m), out = add ? stored<T>(normal(m * dims)) : grad;
  Values wanted(m * dims);
  for (int64_t c = 0; c < m; ++c) {
    double square = 0, along = 0;
    for (int64_t k = c * dims; k < (c + 1) * dims; ++k) square += static_cast<double>(centre[k]) * centre[k], along += static_cast<double>(centre[k]) * grad[k];
    inverse[c] = static_cast<T>(1 / std::sqrt(square));
    for (int64_t k = c * dims; k < (c + 1) * dims; ++k) wanted[k] = (add ? out[k] : T(0)) + grad[k] - along / square * centre[k];
  }
  const auto& table = *static_cast<const cuda::HeadTable*>(facex_cuda_heads());
  // In place where it is not added.
  table.project({std::is_same_v<T, double>, add, m, dims, centre.data(), inverse.data(), add ? static_cast<const void*>(grad.data()) : out.data(), out.data()}, nullptr);
  report.expect("gradient of the centres", add ? "projection, added" : "projection", widened(out), wanted, std::is_same_v<T, double> ? 1e-12 : 2e-6);
}

template <typename T>
void check_all(Report& report) {
  for (const Case<T>& given : cases<T>()) {
    for (const Shape& shape : {Shape{3, 700, 1, 1, true}, {2, 900, 3, 4, true}, {2, 5, 1, 1, true}, {2, 600, 1, 3, false}}) check_case(report, given, shape);
  }
  check_projection<T>(report, false);
  check_projection<T>(report, true);
}

}  // namespace

void check_heads(Report& report) {
  check_all<double>(report);
  check_all<float>(report);
}

}  // namespace facex::emulated
