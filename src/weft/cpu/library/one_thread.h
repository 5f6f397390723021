// The number of threads that oneDNN's OpenMP (Debian's build uses it) may start: a setting of the calling thread.
#pragma once

extern "C" {
int omp_get_max_threads(void);
void omp_set_num_threads(int n);
}

namespace weft::cpu {

/// While it lives, the library runs on the calling thread alone.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

}  // namespace weft::cpu
