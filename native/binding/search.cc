#include "binding/search.h"

#include <ATen/Parallel.h>
#include <ATen/ops/full.h>

#include <limits>
#include <memory>
#include <mutex>

#include "binding/error.h"
#include "binding/tensor.h"
#include "binding/worker.h"
#include "search/top_k.h"

namespace facex::binding {

namespace {

// Pieces are added one at a time, whatever JavaScript waits for.
struct Search {
  Search(const Tensor& probes, int64_t k) : top(probes, k) {}
  std::mutex mutex;
  search::TopK top;
};

struct Found {
  Tensor scores;
  Tensor rows;
};

class TopKObject final : public Napi::ObjectWrap<TopKObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "TopK", {InstanceMethod<&TopKObject::add>("add"), InstanceMethod<&TopKObject::finish>("finish")});
  }

  explicit TopKObject(const Napi::CallbackInfo& call) : Napi::ObjectWrap<TopKObject>(call) {
    guarded(call.Env(), [&] {
      const int64_t k = call[1].IsNumber() ? call[1].As<Napi::Number>().Int64Value() : 0;
      search_ = std::make_shared<Search>(to_tensor(call[0]), k);
    });
  }

 private:
  Napi::Value add(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      return run_async(
          call.Env(), call.This(),
          [search = search_, gallery = to_tensor(call[0])] {
            at::init_num_threads();  // the count belongs to each thread until it asks for the common one
            const std::lock_guard lock(search->mutex);
            search->top.add(gallery);
            return true;
          },
          [](Napi::Env env, bool) { return env.Undefined(); });
    });
  }

  Napi::Value finish(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      return run_async(
          call.Env(), call.This(),
          [search = search_] {
            at::init_num_threads();
            const std::lock_guard lock(search->mutex);
            return as_tensors(search->top.finish(), search->top.k());
          },
          [](Napi::Env env, const Found& found) -> Napi::Value {
            Napi::Object result = Napi::Object::New(env);
            result.Set("scores", to_js(env, "scores", found.scores));
            result.Set("rows", to_js(env, "rows", found.rows));
            return result;
          });
    });
  }

  // Missing places of a small gallery: row -1, score -infinity.
  static Found as_tensors(const std::vector<std::vector<search::Hit>>& hits, int64_t k) {
    const int64_t probes = static_cast<int64_t>(hits.size());
    Found found{at::full({probes, k}, -std::numeric_limits<float>::infinity(), at::kFloat), at::full({probes, k}, -1, at::kInt)};
    float* scores = found.scores.mutable_data_ptr<float>();
    int32_t* rows = found.rows.mutable_data_ptr<int32_t>();
    for (int64_t probe = 0; probe < probes; probe++) {
      for (size_t rank = 0; rank < hits[probe].size(); rank++) {
        scores[probe * k + rank] = hits[probe][rank].score;
        rows[probe * k + rank] = static_cast<int32_t>(hits[probe][rank].row);
      }
    }
    return found;
  }

  std::shared_ptr<Search> search_;
};

}  // namespace

void export_search(Napi::Env env, Napi::Object exports) { exports.Set("TopK", TopKObject::define(env)); }

}  // namespace facex::binding
