#include "binding/network.h"

#include <ATen/Parallel.h>
#include <ATen/ops/ones_like.h>

#include <cmath>
#include <future>

#include "binding/args.h"
#include "binding/error.h"
#include "binding/state.h"
#include "binding/tensor.h"
#include "binding/worker.h"
#include "core/memory.h"
#include "engine/op.h"
#include "engine/profile.h"
#include "training/thread.h"

namespace facex::binding {

namespace {

using SharedNetwork = std::shared_ptr<engine::Network>;

// What this file keeps for each environment that loads the addon (the main thread, worker threads).
struct PerEnvironment {
  Napi::FunctionReference network_class;
};

// Results leave as float32 or float64.
Tensor wide(const Tensor& value) { return value.scalar_type() == at::kDouble ? value : value.to(at::kFloat); }

// What `work` returns or throws. cuDNN's plans belong to the thread that made them: inference on a GPU has one thread,
// which lives as long as the process.
template <typename Work>
Tensor on_thread_of(at::Device device, const Work& work) {
  if (device.is_cpu()) return work();
  static auto* const thread = new training::SerialThread;
  std::packaged_task<Tensor()> task(work);
  std::future<Tensor> result = task.get_future();
  thread->post([&task] { task(); });
  return result.get();
}

class NetworkObject final : public Napi::ObjectWrap<NetworkObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Network",
                       {InstanceMethod<&NetworkObject::initialise>("initialise"), InstanceMethod<&NetworkObject::state>("state"),
                        InstanceMethod<&NetworkObject::load>("load"), InstanceMethod<&NetworkObject::infer>("infer"),
                        InstanceMethod<&NetworkObject::forward_backward>("forwardBackward"), InstanceMethod<&NetworkObject::profile>("profile"),
                        InstanceMethod<&NetworkObject::dispose>("dispose")});
  }

  // (graph, options) from JavaScript, or a network that exists already from wrap_network().
  explicit NetworkObject(const Napi::CallbackInfo& call) : Napi::ObjectWrap<NetworkObject>(call) {
    guarded(call.Env(), [&] {
      if (call[0].IsExternal()) {
        network_ = *call[0].As<Napi::External<SharedNetwork>>().Data();
      } else {
        network_ = std::make_shared<engine::Network>(decode_graph(object_of(call[0], "the graph")),
                                                     decode_network_options(object_of(call[1], "the options of a network")));
      }
    });
  }

 private:
  engine::Network& alive() const {
    if (!network_) fail(ErrorCode::kDisposed, "the network was used after dispose()");
    return *network_;
  }

  Napi::Value initialise(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      alive().initialise(static_cast<uint64_t>(call[0].ToNumber().Int64Value()));
      return call.Env().Undefined();
    });
  }

  Napi::Value state(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value { return state_to_js(call.Env(), alive().state()); });
  }

  Napi::Value load(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&] {
      load_state(alive().graph().name, alive().state(), call[0]);
      return call.Env().Undefined();
    });
  }

  Napi::Value infer(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      alive();
      return run_async(
          call.Env(), call.This(),
          [network = network_, images = to_tensor(call[0]), output = call[1].ToString().Utf8Value()] {
            at::init_num_threads();  // the count belongs to each thread until it asks for the common one
            return on_thread_of(network->options().device, [&] { return wide(network->forward(images, {})->output(output)).to(at::kCPU); });
          },
          [](Napi::Env env, const Tensor& result) { return to_js(env, "output", result); });
    });
  }

  Napi::Value forward_backward(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      engine::Network& network = alive();
      engine::PassMode mode{.batch_statistics = true, .keep_for_backward = true};
      if (call[3].IsNumber()) {
        mode.stochastic = true;
        mode.random_key = static_cast<uint64_t>(call[3].As<Napi::Number>().Int64Value());
      }
      const std::string output = call[1].ToString().Utf8Value();
      const std::unique_ptr<engine::Pass> pass = network.forward(to_tensor(call[0]), mode);
      const Tensor value = pass->output(output);
      const Tensor grad = to_tensor(call[2]).to(value.options());
      if (grad.sizes() != value.sizes()) {
        fail(ErrorCode::kConfig, "the gradient has shape ", grad.sizes(), ", output ", output, " has ", value.sizes());
      }
      clear_grads();
      network.backward(*pass, {{output, grad}});
      Napi::Object result = Napi::Object::New(call.Env());
      result.Set("output", to_js(call.Env(), output, wide(value)));
      result.Set("grads", grads_to_js(call.Env(), network.state()));
      clear_grads();
      return result;
    });
  }

  Napi::Value profile(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      engine::Network& network = alive();
      const Tensor images = to_tensor(call[0]);
      const std::string output = call[1].ToString().Utf8Value();
      const bool inference = call[2].ToBoolean();
      const auto pass = [&] { return inference ? static_cast<void>(network.forward(images, {})) : train_step(network, images, output); };
      engine::NodeTimes times(network.graph(), network.options().device);
      pass();  // the first one finds memory and kernels
      network.observe(&times);
      for (int i = 0; i < kProfiledPasses; ++i) {
        pass();
        times.pass_ends();
      }
      network.observe(nullptr);
      Napi::Array result = Napi::Array::New(call.Env());
      for (const engine::Node& node : network.graph().nodes) {
        Napi::Object row = Napi::Object::New(call.Env());
        row.Set("path", node.path);
        row.Set("op", node.op);
        const engine::NodeTime& time = times.times()[node.id];
        row.Set("forward", std::isfinite(time.forward) ? time.forward : 0);
        row.Set("backward", std::isfinite(time.backward) ? time.backward : 0);
        result.Set(result.Length(), row);
      }
      return result;
    });
  }

  static constexpr int kProfiledPasses = 5;

  void train_step(engine::Network& network, const Tensor& images, const std::string& output) {
    const auto pass = network.forward(images, {.batch_statistics = true, .keep_for_backward = true});
    network.backward(*pass, {{output, at::ones_like(pass->output(output))}});
    clear_grads();
  }

  void clear_grads() {
    for (Entry& entry : network_->state().entries()) clear_grad(entry);
  }

  void dispose(const Napi::CallbackInfo&) {
    if (!network_) return;
    network_.reset();
    release_freed_memory();
  }

  SharedNetwork network_;
};

Napi::Array strings_to_js(Napi::Env env, const std::vector<std::string>& strings) {
  Napi::Array array = Napi::Array::New(env, strings.size());
  for (uint32_t i = 0; i < strings.size(); ++i) array.Set(i, strings[i]);
  return array;
}

Napi::Value op_table(const Napi::CallbackInfo& call) {
  Napi::Array table = Napi::Array::New(call.Env());
  for (const engine::OpRow& row : engine::op_table()) {
    Napi::Object object = Napi::Object::New(call.Env());
    object.Set("name", row.name);
    object.Set("minInputs", static_cast<double>(row.min_inputs));
    object.Set("maxInputs", static_cast<double>(row.max_inputs));
    object.Set("params", strings_to_js(call.Env(), row.params));
    object.Set("attrs", strings_to_js(call.Env(), row.attrs));
    object.Set("keeps", row.needs == engine::Needs::kInputs ? "inputs" : row.needs == engine::Needs::kOutput ? "output" : "nothing");
    table.Set(table.Length(), object);
  }
  return table;
}

}  // namespace

void export_network(Napi::Env env, Napi::Object exports) {
  keep_freed_memory();
  Napi::Function network_class = NetworkObject::define(env);
  auto* kept = new PerEnvironment{Napi::Persistent(network_class)};
  env.SetInstanceData(kept);  // deletes it with the environment
  exports.Set("Network", network_class);
  exports.Set("opTable", Napi::Function::New(env, op_table));
}

Napi::Object wrap_network(Napi::Env env, std::shared_ptr<engine::Network> network) {
  // The constructor copies the pointer out before this frame ends.
  return env.GetInstanceData<PerEnvironment>()->network_class.New({Napi::External<SharedNetwork>::New(env, &network)});
}

}  // namespace facex::binding
