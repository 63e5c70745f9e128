#include "emulator.h"

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#include <cstdio>
#include <cstdlib>
#include <vector>

namespace emulator {
namespace {

constexpr size_t STACK_BYTES = 64 * 1024;
constexpr int THREADS_MAX = 1024;
constexpr int LANES = 32;
// A launch has no more without cudaFuncSetAttribute, which the engine never calls.
constexpr size_t SHARED_BYTES_MAX = 48 * 1024;

enum class State { READY, AT_BLOCK, AT_WARP, DONE };

struct Fiber {
#if defined(__x86_64__)
  void* stack_pointer = nullptr;
#else
  ucontext_t context;
#endif
  Place place{};
  State state = State::DONE;
  char* stack = nullptr;
};

std::vector<Fiber> fibers(THREADS_MAX);
#if defined(__x86_64__)
void* scheduler_stack_pointer = nullptr;
#else
ucontext_t scheduler_context;
#endif
Fiber* running = nullptr;
const Kernel* running_kernel = nullptr;
void** running_arguments = nullptr;
int order = 0;
alignas(16) char shared[SHARED_BYTES_MAX];
uint64_t scratch[THREADS_MAX][8];
std::vector<Copies> all_copies(THREADS_MAX);

// Switching costs dominate the emulator; glibc's swapcontext makes two system calls each time.
#if defined(__x86_64__)
extern "C" void tt_switch(void** save, void* load);
asm(R"(
.text
.globl tt_switch
.hidden tt_switch
.type tt_switch,@function
tt_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size tt_switch,.-tt_switch
)");
#endif

void yield_to_scheduler() {
#if defined(__x86_64__)
  tt_switch(&running->stack_pointer, scheduler_stack_pointer);
#else
  swapcontext(&running->context, &scheduler_context);
#endif
}

void fiber_main() {
  running_kernel->invoke(running_kernel->function, running_arguments);
  running->state = State::DONE;
  for (;;) {
    yield_to_scheduler();
  }
}

void start(Fiber& fiber) {
  if (fiber.stack == nullptr) {
    fiber.stack = static_cast<char*>(aligned_alloc(64, STACK_BYTES));
  }
  fiber.state = State::READY;
#if defined(__x86_64__)
  // As tt_switch left it: six registers, then the address to return to; the stack is 16-byte aligned at a call.
  void** top = reinterpret_cast<void**>(fiber.stack + STACK_BYTES - 64);
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(&fiber_main);
  for (int i = 0; i < 6; i++) {
    *--top = nullptr;
  }
  fiber.stack_pointer = top;
#else
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack;
  fiber.context.uc_stack.ss_size = STACK_BYTES;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, fiber_main, 0);
#endif
}

void resume(Fiber& fiber) {
  running = &fiber;
#if defined(__x86_64__)
  tt_switch(&scheduler_stack_pointer, fiber.stack_pointer);
#else
  swapcontext(&scheduler_context, &fiber.context);
#endif
}

// Lets fibers past a barrier that all live fibers of the set have reached. True when any was let go.
bool release(int from, int to, State barrier) {
  bool any = false;
  for (int i = from; i < to; i++) {
    if (fibers[i].state == State::DONE) {
      continue;
    }
    if (fibers[i].state != barrier) {
      return false;
    }
    any = true;
  }
  for (int i = from; i < to && any; i++) {
    if (fibers[i].state == barrier) {
      fibers[i].state = State::READY;
    }
  }
  return any;
}

bool run_block(int threads) {
  for (;;) {
    bool progressed = false;
    for (int i = 0; i < threads; i++) {
      Fiber& fiber = fibers[order == 0 ? i : threads - 1 - i];
      if (fiber.state == State::READY) {
        resume(fiber);
        progressed = true;
      }
    }
    for (int from = 0; from < threads; from += LANES) {
      int to = from + LANES < threads ? from + LANES : threads;
      progressed |= release(from, to, State::AT_WARP);
    }
    progressed |= release(0, threads, State::AT_BLOCK);
    if (!progressed) {
      for (int i = 0; i < threads; i++) {
        if (fibers[i].state != State::DONE) {
          return false;
        }
      }
      return true;
    }
  }
}

}  // namespace

const Place& place() { return running->place; }
Copies& copies() { return all_copies[running->place.thread]; }
void* dynamic_shared() { return shared; }
uint64_t* warp_scratch(int lane) { return scratch[running->place.thread / LANES * LANES + lane]; }
void set_order(int value) { order = value; }

void wait_block() {
  running->state = State::AT_BLOCK;
  yield_to_scheduler();
}

void wait_warp() {
  running->state = State::AT_WARP;
  yield_to_scheduler();
}

std::map<std::string, Kernel>& kernels() {
  static std::map<std::string, Kernel> all;
  return all;
}

int launch(const Kernel& kernel, Dim grid, int threads, size_t shared_bytes, void** arguments) {
  if (threads < 1 || threads > kernel.threads || shared_bytes > SHARED_BYTES_MAX || grid.x < 1 || grid.y < 1 || grid.z < 1 || grid.y > 65535 ||
      grid.z > 65535) {
    return 1;
  }
  running_kernel = &kernel;
  running_arguments = arguments;
  for (int z = 0; z < grid.z; z++) {
    for (int y = 0; y < grid.y; y++) {
      for (int x = 0; x < grid.x; x++) {
        memset(shared, 0xff, shared_bytes);
        for (int i = 0; i < threads; i++) {
          start(fibers[i]);
          all_copies[i].pending.clear();
          all_copies[i].groups = 0;
          fibers[i].place = Place{i, threads, Dim{x, y, z}, grid};
        }
        if (!run_block(threads)) {
          fprintf(stderr, "emulator: block (%d, %d, %d) deadlocked at a barrier\n", x, y, z);
          return 719;
        }
      }
    }
  }
  return 0;
}

}  // namespace emulator

// ---- what Java's test driver calls

extern "C" {

const void* tt_emulator_kernel(const char* name) {
  auto found = emulator::kernels().find(name);
  return found == emulator::kernels().end() ? nullptr : &found->second;
}

int tt_emulator_launch(const void* kernel, int x, int y, int z, int threads, int64_t shared_bytes, void** arguments) {
  return emulator::launch(*static_cast<const emulator::Kernel*>(kernel), emulator::Dim{x, y, z}, threads, (size_t)shared_bytes, arguments);
}

void tt_emulator_set_order(int order) { emulator::set_order(order); }

int tt_emulator_kernel_count() { return (int)emulator::kernels().size(); }

// The names of all kernels, sorted, one a line, into a buffer of `bytes`; the length needed.
int tt_emulator_names(char* buffer, int bytes) {
  std::string names;
  for (auto& entry : emulator::kernels()) {
    names += entry.first;
    names += '\n';
  }
  if ((int)names.size() < bytes) {
    memcpy(buffer, names.c_str(), names.size() + 1);
  }
  return (int)names.size();
}
}
