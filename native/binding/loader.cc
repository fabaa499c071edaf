#include "binding/loader.h"

#include <optional>

#include "binding/args.h"
#include "binding/loader_spec.h"
#include "binding/tensor.h"
#include "binding/worker.h"
#include "core/device.h"
#include "core/memory.h"
#include "data/inspect.h"
#include "data/loader.h"
#include "data/memory_batches.h"
#include "data/picture_hash.h"
#include "data/record_file.h"

namespace facex::binding {

namespace {

// Tells our objects from any other before the pointer behind them is used.
constexpr napi_type_tag kLoaderTag = {0x6661636578206c6full, 0x61646572206f626aull};
constexpr napi_type_tag kMemoryTag = {0x6661636578206d65ull, 0x6d6f727920626174ull};

Napi::Value batch_to_js(Napi::Env env, const data::Batch& batch) {
  Napi::Object result = Napi::Object::New(env);
  Napi::Array images = Napi::Array::New(env, batch.images.size());
  for (uint32_t view = 0; view < batch.images.size(); view++) images.Set(view, to_js(env, "images", batch.images[view]));
  result.Set("images", images);
  result.Set("labels", to_js(env, "labels", batch.labels));
  Napi::Uint32Array indices = Napi::Uint32Array::New(env, batch.indices.size());
  std::copy(batch.indices.begin(), batch.indices.end(), indices.Data());
  result.Set("indices", indices);
  return result;
}

class LoaderObject final : public Napi::ObjectWrap<LoaderObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Loader",
                       {InstanceMethod("begin", &LoaderObject::begin), InstanceMethod("next", &LoaderObject::next),
                        InstanceMethod("drain", &LoaderObject::drain), InstanceMethod("takeBadImages", &LoaderObject::take_bad_images),
                        InstanceMethod("dispose", &LoaderObject::dispose)});
  }

  explicit LoaderObject(const Napi::CallbackInfo& call) : Napi::ObjectWrap<LoaderObject>(call) {
    guarded(call.Env(), [&] {
      keep_freed_memory();  // batches are large, and one is like the other
      const Napi::Object spec = object_of(call[0], "loader");
      loader_ = std::make_shared<data::Loader>(source_from(get_object(spec, "source")), loader_options_from(spec));
      call.This().As<Napi::Object>().TypeTag(&kLoaderTag);
    });
  }

  std::shared_ptr<data::Loader> loader() const {
    if (!loader_) fail(ErrorCode::kDisposed, "the loader was used after dispose()");
    return loader_;
  }

 private:
  void begin(const Napi::CallbackInfo& call) {
    guarded(call.Env(), [&] {
      if (!call[0].IsTypedArray() || call[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array) {
        fail(ErrorCode::kConfig, "begin: expected a Uint32Array of sample indices");
      }
      auto order = call[0].As<Napi::Uint32Array>();
      const auto epoch = static_cast<uint64_t>(call[1].ToNumber().Int64Value());
      const auto first_batch = static_cast<uint64_t>(call[2].ToNumber().Int64Value());
      loader()->begin({order.Data(), order.Data() + order.ElementLength()}, epoch, first_batch, call[3].ToBoolean());
    });
  }

  Napi::Value next(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      return run_async(
          call.Env(), call.This(),
          [loader = loader()] { return loader->has_next() ? std::optional(loader->next()) : std::nullopt; },
          [](Napi::Env env, std::optional<data::Batch> batch) { return batch ? batch_to_js(env, *batch) : env.Undefined(); });
    });
  }

  Napi::Value drain(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      return run_async(
          call.Env(), call.This(),
          [loader = loader()] {
            size_t images = 0;
            while (loader->has_next()) images += loader->next().indices.size();
            return images;
          },
          [](Napi::Env env, size_t images) { return Napi::Number::New(env, static_cast<double>(images)); });
    });
  }

  Napi::Value take_bad_images(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      Napi::Array list = Napi::Array::New(call.Env());
      for (const data::BadImage& bad : loader()->take_bad_images()) {
        Napi::Object item = Napi::Object::New(call.Env());
        item.Set("path", bad.path);
        item.Set("reason", bad.reason);
        list.Set(list.Length(), item);
      }
      return list;
    });
  }

  void dispose(const Napi::CallbackInfo&) { loader_.reset(); }

  std::shared_ptr<data::Loader> loader_;
};

class MemoryBatchesObject final : public Napi::ObjectWrap<MemoryBatchesObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "MemoryBatches", {InstanceMethod("push", &MemoryBatchesObject::push)});
  }

  explicit MemoryBatchesObject(const Napi::CallbackInfo& call) : Napi::ObjectWrap<MemoryBatchesObject>(call) {
    call.This().As<Napi::Object>().TypeTag(&kMemoryTag);
  }

  std::shared_ptr<data::MemoryBatches> batches() const { return batches_; }

 private:
  void push(const Napi::CallbackInfo& call) {
    guarded(call.Env(), [&] {
      const Napi::Object object = object_of(call[0], "batch");
      data::Batch batch;
      const Napi::Array images = get_array(object, "images");
      for (uint32_t view = 0; view < images.Length(); view++) {
        const Tensor values = to_tensor(images.Get(view));
        batch.images.push_back(cuda_status().usable() ? values.pin_memory() : values);  // or its copy to the GPU would keep the CPU waiting
      }
      batch.labels = to_tensor(object.Get("labels"));
      batches_->push(std::move(batch));
    });
  }

  const std::shared_ptr<data::MemoryBatches> batches_ = std::make_shared<data::MemoryBatches>();
};

Napi::Uint16Array sizes_to_js(Napi::Env env, const std::vector<uint16_t>& values) {
  Napi::Uint16Array array = Napi::Uint16Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

// [{ [key]: where, reason }]
template <typename Where>
Napi::Array problems_to_js(Napi::Env env, const std::vector<std::pair<Where, std::string>>& problems, const char* key) {
  Napi::Array list = Napi::Array::New(env);
  for (const auto& [where, reason] : problems) {
    Napi::Object problem = Napi::Object::New(env);
    problem.Set(key, static_cast<double>(where));
    problem.Set("reason", reason);
    list.Set(list.Length(), problem);
  }
  return list;
}

// inspectImages(source, { threads, full })
Napi::Value inspect_images(const Napi::CallbackInfo& call) {
  return guarded(call.Env(), [&]() -> Napi::Value {
    const Napi::Object options = object_of(call[1], "options");
    const int threads = get_int(options, "threads");
    const bool full = get_bool(options, "full");
    std::shared_ptr<data::Source> source = source_from(object_of(call[0], "source"));
    return run_async(
        call.Env(), call.Env().Undefined(), [=] { return data::inspect(*source, threads, full); },
        [](Napi::Env env, const data::Inspection& inspection) -> Napi::Value {
          Napi::Object result = Napi::Object::New(env);
          result.Set("heights", sizes_to_js(env, inspection.heights));
          result.Set("widths", sizes_to_js(env, inspection.widths));
          result.Set("problems", problems_to_js(env, inspection.problems, "index"));
          return result;
        });
  });
}

// hashImages(source, threads)
Napi::Value hash_images(const Napi::CallbackInfo& call) {
  return guarded(call.Env(), [&]() -> Napi::Value {
    const int threads = call[1].ToNumber().Int32Value();
    std::shared_ptr<data::Source> source = source_from(object_of(call[0], "source"));
    return run_async(
        call.Env(), call.Env().Undefined(), [=] { return data::hash_pictures(*source, threads); },
        [](Napi::Env env, const data::PictureHashes& hashes) -> Napi::Value {
          Napi::Object result = Napi::Object::New(env);
          Napi::Uint32Array words = Napi::Uint32Array::New(env, hashes.words.size());
          std::copy(hashes.words.begin(), hashes.words.end(), words.Data());
          result.Set("words", words);
          result.Set("problems", problems_to_js(env, hashes.problems, "index"));
          return result;
        });
  });
}

// indexRecords(file, index)
Napi::Value index_records(const Napi::CallbackInfo& call) {
  return guarded(call.Env(), [&]() -> Napi::Value {
    const std::string file = call[0].ToString(), index_file = call[1].ToString();
    return run_async(
        call.Env(), call.Env().Undefined(), [=] { return data::index_records(file, index_file); },
        [](Napi::Env env, const data::RecordIndex& index) -> Napi::Value {
          Napi::Object result = Napi::Object::New(env);
          Napi::Float64Array positions = Napi::Float64Array::New(env, index.positions.size());
          std::copy(index.positions.begin(), index.positions.end(), positions.Data());
          result.Set("positions", positions);
          Napi::Int32Array labels = Napi::Int32Array::New(env, index.labels.size());
          std::copy(index.labels.begin(), index.labels.end(), labels.Data());
          result.Set("labels", labels);
          result.Set("problems", problems_to_js(env, index.problems, "position"));
          return result;
        });
  });
}

// readRecord(file, position): the encoded image
Napi::Value read_record(const Napi::CallbackInfo& call) {
  return guarded(call.Env(), [&]() -> Napi::Value {
    const data::RecordFile file(call[0].ToString());
    std::vector<uint8_t> buffer;
    const data::Record record = file.read(static_cast<uint64_t>(call[1].ToNumber().Int64Value()), buffer);
    return Napi::Buffer<uint8_t>::Copy(call.Env(), record.content.data(), record.content.size());
  });
}

}  // namespace

void export_loader(Napi::Env env, Napi::Object exports) {
  exports.Set("Loader", LoaderObject::define(env));
  exports.Set("MemoryBatches", MemoryBatchesObject::define(env));
  exports.Set("inspectImages", Napi::Function::New(env, inspect_images));
  exports.Set("hashImages", Napi::Function::New(env, hash_images));
  exports.Set("indexRecords", Napi::Function::New(env, index_records));
  exports.Set("readRecord", Napi::Function::New(env, read_record));
}

std::shared_ptr<data::BatchSource> batch_source_of(const Napi::Value& value) {
  if (value.IsObject()) {
    const auto object = value.As<Napi::Object>();
    if (object.CheckTypeTag(&kLoaderTag)) return Napi::ObjectWrap<LoaderObject>::Unwrap(object)->loader();
    if (object.CheckTypeTag(&kMemoryTag)) return Napi::ObjectWrap<MemoryBatchesObject>::Unwrap(object)->batches();
  }
  fail(ErrorCode::kConfig, "expected a Loader or MemoryBatches as the source of batches");
}

}  // namespace facex::binding
