#include "binding/group.h"

#include <utility>

#include "binding/args.h"
#include "binding/error.h"
#include "binding/tensor.h"
#include "binding/worker.h"
#include "distributed/group.h"

namespace facex::binding {

namespace {

constexpr napi_type_tag kGroupTag{0x6f0e3c1d7a5b4e29, 0x9b1f20c4d8e37a56};

distributed::GroupOptions decode_group(const Napi::Object& spec) {
  distributed::GroupOptions options;
  options.rank = get_int(spec, "rank");
  options.size = get_int(spec, "size");
  options.master = get_string(spec, "master");
  options.port = static_cast<uint16_t>(get_int(spec, "port"));
  options.serves = get_bool(spec, "serves");
  options.attempt = get_string(spec, "attempt");
  options.join_seconds = get_number(spec, "joinSeconds");
  options.operation_seconds = get_number(spec, "operationSeconds");
  options.silence_seconds = get_number(spec, "silenceSeconds");
  return options;
}

class GroupObject final : public Napi::ObjectWrap<GroupObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "Group",
                       {InstanceMethod<&GroupObject::join>("join"), InstanceMethod<&GroupObject::exchange>("exchange"),
                        InstanceMethod<&GroupObject::all_gather>("allGather"), InstanceMethod<&GroupObject::report_failure>("reportFailure"),
                        InstanceMethod<&GroupObject::traffic>("traffic"), InstanceMethod<&GroupObject::leave>("leave")});
  }

  explicit GroupObject(const Napi::CallbackInfo& call) : Napi::ObjectWrap<GroupObject>(call) {
    guarded(call.Env(), [&] { options_ = decode_group(object_of(call[0], "the specification of a group")); });
    call.This().As<Napi::Object>().TypeTag(&kGroupTag);
  }

  std::shared_ptr<distributed::Group> alive() const {
    if (!group_) fail(ErrorCode::kDisposed, "the group has not been joined, or was left");
    return group_;
  }

 private:
  Napi::Value join(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      return run_async(
          call.Env(), call.This(), [options = options_] { return std::make_shared<distributed::Group>(options); },
          [this](Napi::Env env, std::shared_ptr<distributed::Group> group) {
            group_ = std::move(group);
            return env.Undefined();
          });
    });
  }

  Napi::Value exchange(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      return run_async(
          call.Env(), call.This(), [group = alive(), text = call[0].ToString().Utf8Value()] { return group->exchange(text); },
          [](Napi::Env env, const std::vector<std::string>& texts) {
            Napi::Array list = Napi::Array::New(env, texts.size());
            for (uint32_t i = 0; i < texts.size(); ++i) list.Set(i, texts[i]);
            return list;
          });
    });
  }

  Napi::Value all_gather(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      return run_async(
          call.Env(), call.This(), [group = alive(), part = to_tensor(call[0])] { return group->all_gather(part); },
          [](Napi::Env env, const Tensor& whole) { return to_js(env, "gathered", whole); });
    });
  }

  Napi::Value report_failure(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      return run_async(
          call.Env(), call.This(),
          [group = group_, text = call[0].ToString().Utf8Value()] { return group ? group->report_failure(text) : text; },
          [](Napi::Env env, const std::string& verdict) { return Napi::String::New(env, verdict); });
    });
  }

  Napi::Value traffic(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      const Traffic traffic = alive()->traffic();
      Napi::Object object = Napi::Object::New(call.Env());
      object.Set("allReduced", static_cast<double>(traffic.all_reduced));
      object.Set("gathered", static_cast<double>(traffic.gathered));
      object.Set("scattered", static_cast<double>(traffic.scattered));
      object.Set("other", static_cast<double>(traffic.other));
      object.Set("operations", static_cast<double>(traffic.operations));
      object.Set("waitSeconds", traffic.wait_seconds);
      return object;
    });
  }

  Napi::Value leave(const Napi::CallbackInfo& call) {
    return guarded(call.Env(), [&]() -> Napi::Value {
      return run_async(
          call.Env(), call.This(),
          [group = std::exchange(group_, nullptr)] {
            if (group) group->leave();
            return true;
          },
          [](Napi::Env env, bool) { return env.Undefined(); });
    });
  }

  distributed::GroupOptions options_;
  std::shared_ptr<distributed::Group> group_;  // null before join() and after leave()
};

}  // namespace

std::shared_ptr<Collective> group_of(const Napi::Value& value) {
  if (value.IsUndefined()) return nullptr;
  if (value.IsObject() && value.As<Napi::Object>().CheckTypeTag(&kGroupTag)) {
    return Napi::ObjectWrap<GroupObject>::Unwrap(value.As<Napi::Object>())->alive();
  }
  fail(ErrorCode::kConfig, "group: expected a Group of this addon");
}

void export_group(Napi::Env env, Napi::Object exports) { exports.Set("Group", GroupObject::define(env)); }

}  // namespace facex::binding
