// The addon's table of contents: each line is one name of lib/native.ts.
#include <napi.h>

#include "binding/file_lock.h"
#include "binding/group.h"
#include "binding/head.h"
#include "binding/images.h"
#include "binding/info.h"
#include "binding/loader.h"
#include "binding/network.h"
#include "binding/search.h"
#include "binding/surface.h"
#include "binding/trainer.h"

namespace {

Napi::Object init(Napi::Env env, Napi::Object exports) {
  facex::binding::export_info(env, exports);
  facex::binding::export_group(env, exports);
  facex::binding::export_head(env, exports);
  facex::binding::export_images(env, exports);
  facex::binding::export_loader(env, exports);
  facex::binding::export_network(env, exports);
  facex::binding::export_search(env, exports);
  facex::binding::export_surface(env, exports);
  facex::binding::export_trainer(env, exports);
  facex::binding::export_file_lock(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(facex, init)
