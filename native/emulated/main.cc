// Runs all cases of the CUDA kernels on the CPU; exits with 1 and names what is off. See test/native/cuda-kernels.test.ts.
#include "emulated/check.h"

int main() {
  facex::emulated::Report report;
  facex::emulated::check_pixels(report);
  facex::emulated::check_heads(report);
  facex::emulated::check_batch_norm(report);
  std::printf("%d results, %d off\n", report.checked, report.failed);
  return report.failed == 0 ? 0 : 1;
}
