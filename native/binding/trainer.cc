#include "binding/trainer.h"

#include <set>

#include "binding/args.h"
#include "binding/error.h"
#include "binding/loader.h"
#include "binding/network.h"
#include "binding/tensor.h"
#include "binding/trainer_spec.h"
#include "binding/training_jobs.h"
#include "core/memory.h"

namespace facex::binding {

namespace {

Napi::Object to_js(Napi::Env env, const training::Progress& progress) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("step", static_cast<double>(progress.step));
  object.Set("loss", progress.loss);
  object.Set("steps", static_cast<double>(progress.steps));
  object.Set("lr", progress.lr);
  object.Set("images", static_cast<double>(progress.images));
  object.Set("seconds", progress.seconds);
  object.Set("waitSeconds", progress.wait_seconds);
  return object;
}

class TrainerObject final : public Napi::ObjectWrap<TrainerObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Trainer",
                       {InstanceMethod<&TrainerObject::parameters>("parameters"),
                        InstanceMethod<&TrainerObject::entries>("entries"),
                        InstanceMethod<&TrainerObject::copy_parameters>("copyParameters"),
                        InstanceMethod<&TrainerObject::set_optimizer>("setOptimizer"),
                        InstanceMethod<&TrainerObject::initialise>("initialise"),
                        InstanceMethod<&TrainerObject::state>("state"),
                        InstanceMethod<&TrainerObject::release_state>("releaseState"),
                        InstanceMethod<&TrainerObject::synchronise_buffers>("synchroniseBuffers"),
                        InstanceMethod<&TrainerObject::load>("load"),
                        InstanceMethod<&TrainerObject::counters>("counters"),
                        InstanceMethod<&TrainerObject::load_counters>("loadCounters"),
                        InstanceMethod<&TrainerObject::run>("run"),
                        InstanceMethod<&TrainerObject::stop>("stop"),
                        InstanceMethod<&TrainerObject::network>("network"),
                        InstanceMethod<&TrainerObject::dispose>("dispose")});
  }

  explicit TrainerObject(const Napi::CallbackInfo& call) : Napi::ObjectWrap<TrainerObject>(call) {
    guarded(call.Env(), [&] {
      trainer_ = std::make_shared<training::Trainer>(trainer_options_from(object_of(call[0], "trainer")));
      jobs_ = std::make_unique<TrainingJobs>([trainer = trainer_] { trainer->request_stop(); });
      // For environments that end by themselves, as a worker's does; end_all() is for the process.
      call.Env().AddCleanupHook([trainer = std::weak_ptr(trainer_), jobs = jobs_.get()] {
        const auto alive = trainer.lock();
        if (!alive) return;
        alive->request_stop();
        jobs->close();
      });
      living().insert(this);
    });
  }

  ~TrainerObject() override { close(); }

  static void end_all() {
    for (TrainerObject* trainer : living()) {
      trainer->trainer_->request_stop();
      trainer->jobs_->close();
    }
  }

 private:
  Napi::Value parameters(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value { return shapes(call.Env(), alive().parameters()); });
  }

  Napi::Value entries(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value { return shapes(call.Env(), alive().state()); });
  }

  static Napi::Array shapes(Napi::Env env, const std::vector<training::NamedEntry>& entries) {
    Napi::Array list = Napi::Array::New(env);
    for (const training::NamedEntry& named : entries) {
      Napi::Array shape = Napi::Array::New(env);
      for (const int64_t size : training::whole_shape(named)) shape.Set(shape.Length(), static_cast<double>(size));
      Napi::Object entry = Napi::Object::New(env);
      entry.Set("name", named.name);
      entry.Set("shape", shape);
      list.Set(list.Length(), entry);
    }
    return list;
  }

  Napi::Value copy_parameters(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      idle().copy_parameters(call[0].ToString().Utf8Value(), call[1].ToString().Utf8Value());
      return call.Env().Undefined();
    });
  }

  Napi::Value set_optimizer(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      idle().set_optimizer(optimizer_options_from(object_of(call[0], "optimizer")));
      return call.Env().Undefined();
    });
  }

  Napi::Value initialise(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      idle().initialise(static_cast<uint64_t>(call[0].ToNumber().Int64Value()));
      return call.Env().Undefined();
    });
  }

  Napi::Value state(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      alive();
      const bool make_room = call[0].ToBoolean();
      return jobs_->run(call.Env(), call.This(), nothing(call.Env()), [trainer = trainer_, make_room](const TrainingJobs::Post&) {
        if (make_room) release_freed_memory();
        auto copies = std::make_shared<std::vector<std::pair<std::string, Tensor>>>(trainer->whole_state());
        return [copies](Napi::Env env) -> Napi::Value {
          Napi::Array list = Napi::Array::New(env, copies->size());
          for (uint32_t i = 0; i < copies->size(); ++i) list.Set(i, give_to_js(env, (*copies)[i].first, std::move((*copies)[i].second)));
          return list;
        };
      });
    });
  }

  Napi::Value release_state(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      const auto given = call[0].As<Napi::Array>();
      for (uint32_t i = 0; i < given.Length(); ++i) take_back(object_of(given.Get(i), "tensor"));
      if (call[1].ToBoolean()) release_freed_memory();
      return call.Env().Undefined();
    });
  }

  Napi::Value synchronise_buffers(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      alive();
      return jobs_->run(call.Env(), call.This(), nothing(call.Env()), [trainer = trainer_](const TrainingJobs::Post&) {
        trainer->synchronise_buffers();
        return [](Napi::Env env) -> Napi::Value { return env.Undefined(); };
      });
    });
  }

  Napi::Value load(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      const auto given = call[0].As<Napi::Array>();
      std::vector<std::pair<std::string, Tensor>> values;
      for (uint32_t i = 0; i < given.Length(); ++i) {
        const Napi::Object tensor = object_of(given.Get(i), "tensor");
        values.emplace_back(get_string(tensor, "name"), to_tensor(tensor));
      }
      idle().load(values);
      return call.Env().Undefined();
    });
  }

  Napi::Value counters(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      Napi::Object object = Napi::Object::New(call.Env());
      for (const auto& [name, value] : idle().counters()) object.Set(name, value);
      return object;
    });
  }

  Napi::Value load_counters(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      Napi::Object holder = Napi::Object::New(call.Env());
      holder.Set("counters", call[0]);
      idle().load_counters(get_numbers<std::map<std::string, double>>(holder, "counters"));
      return call.Env().Undefined();
    });
  }

  Napi::Value run(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      training::Trainer& trainer = idle();
      const Napi::Object request = object_of(call[0], "request");
      if (!request.Get("lr").IsTypedArray()) fail(ErrorCode::kConfig, "lr: expected a Float64Array");
      const auto rates = request.Get("lr").As<Napi::Float64Array>();
      const std::vector<double> lr(rates.Data(), rates.Data() + rates.ElementLength());
      const double progress_seconds = get_number(request, "progressMs") / 1000;
      const auto source = batch_source_of(request.Get("loader"));
      trainer.clear_stop();
      return jobs_->run(call.Env(), call.This(), call[1].As<Napi::Function>(),
                        [trainer = trainer_, source, lr, progress_seconds](const TrainingJobs::Post& post) {
        const std::vector<double> losses = trainer->run(*source, lr, progress_seconds, [&](const training::Progress& progress) {
          post([progress](Napi::Env env, Napi::Function report) { report.Call({to_js(env, progress)}); });
        });
        return [losses](Napi::Env env) -> Napi::Value {
          Napi::Object result = Napi::Object::New(env);
          result.Set("steps", static_cast<double>(losses.size()));
          Napi::Float64Array array = Napi::Float64Array::New(env, losses.size());
          std::copy(losses.begin(), losses.end(), array.Data());
          result.Set("losses", array);
          return result;
        };
      });
    });
  }

  Napi::Value stop(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      alive().request_stop();
      return call.Env().Undefined();
    });
  }

  Napi::Value network(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      return wrap_network(call.Env(), alive().network(call[0].ToString().Utf8Value()));
    });
  }

  Napi::Value dispose(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      if (trainer_) idle();
      close();
      return call.Env().Undefined();
    });
  }

  training::Trainer& alive() {
    if (!trainer_) fail(ErrorCode::kDisposed, "this trainer has been disposed of");
    return *trainer_;
  }

  training::Trainer& idle() {
    alive();
    if (jobs_->busy()) fail(ErrorCode::kNative, "the trainer is running: await run() or state() first, after stop() to end early");
    return *trainer_;
  }

  void close() {
    if (!trainer_) return;
    living().erase(this);
    trainer_->request_stop();
    jobs_->close();
    jobs_.reset();
    trainer_.reset();
  }

  // The trainers of this thread's environment that have not been disposed of.
  static std::set<TrainerObject*>& living() {
    thread_local std::set<TrainerObject*> trainers;
    return trainers;
  }

  static Napi::Function nothing(Napi::Env env) {
    return Napi::Function::New(env, [](const Napi::CallbackInfo&) {});
  }

  std::shared_ptr<training::Trainer> trainer_;  // null after dispose()
  std::unique_ptr<TrainingJobs> jobs_;
};

}  // namespace

void export_trainer(Napi::Env env, Napi::Object exports) {
  exports.Set("Trainer", TrainerObject::define(env));
  exports.Set("endRuns", Napi::Function::New(env, [](const Napi::CallbackInfo&) { TrainerObject::end_all(); }));
}

}  // namespace facex::binding
