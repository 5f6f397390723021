#include "weft/cpu/codegen/llvm_program.h"

#include <llvm/IR/Intrinsics.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <set>
#include <unordered_map>

#include "weft/base/error.h"
#include "weft/cpu/codegen/llvm_dot.h"
#include "weft/cpu/codegen/llvm_loop.h"
#include "weft/cpu/codegen/run_context.h"
#include "weft/ir/contraction.h"
#include "weft/ir/programs.h"

namespace weft::cpu {

namespace {

using compiler::Kernel;
using compiler::Place;
using compiler::Procedure;
using Code = llvm::Value*;
using Statement = compiler::Schedule::Statement;

// Products of at most so many multiplications are code of the program; larger ones call the library.
constexpr double kInlineDotWork = 32768;
// A kernel that takes longer than this, in nanoseconds, is split over threads, into pieces of about this length.
constexpr double kPieceNanoseconds = 60000;
// The same where other threads are awake.
constexpr double kShortPieceNanoseconds = 10000;

constexpr unsigned kLongProcedure = 200;
// Procedures of more statements are functions of so many each: LLVM takes more than linear time in a function's length.
constexpr std::size_t kStatementsPerFunction = 500;

// Long procedures are addresses and calls, for which LLVM's best selection takes cubic time and gains nothing.
void mark_long(llvm::Function& f) {
  f.addFnAttr(llvm::Attribute::OptimizeNone);
  f.addFnAttr(llvm::Attribute::NoInline);
}

struct KernelFunctions {
  llvm::Function* direct = nullptr;  // the whole
  llvm::Function* ranges = nullptr;  // void(ptr buffers, i64 begin, i64 end)
};

// What the procedures of a program share.
struct Shared {
  LlvmUnit& unit;
  const compiler::Program& program;
  const CodeOptions& options;
  ProgramTables tables = {};
  std::set<std::string> without_code = {};  // operations that a program which runs alone would need
  std::unordered_map<std::string, KernelFunctions> kernels = {};
  std::vector<llvm::Function*> procedures = {};

  std::unordered_map<std::string, llvm::Function*> dots = {};
  bool uses_context = false;

  llvm::Function* dot(const ir::ParamsBase* params, Aval lhs, Aval rhs, Aval out) {
    const auto& p = ir::params_as<DotGeneralParams>(params);
    const DotDimensionNumbers& d = p.dimension_numbers;
    std::string key = lhs.str() + rhs.str() + out.str() + (p.ordered ? "ordered" : "");
    for (const Dims* dims : {&d.lhs_batch, &d.rhs_batch, &d.lhs_contracting, &d.rhs_contracting})
      key += shape_str(*dims);
    llvm::Function*& f = dots[key];
    if (!f) f = emit_dot(unit, params, lhs, rhs, out, "dot" + std::to_string(dots.size()));
    return f;
  }
  llvm::Function* direct(const Kernel& k) {
    KernelFunctions& f = kernels[k.str()];
    if (!f.direct) f.direct = emit_kernel(unit, k, "kernel" + std::to_string(kernels.size()), false);
    return f.direct;
  }
  llvm::Function* ranges(const Kernel& k) {
    KernelFunctions& f = kernels[k.str()];
    if (f.ranges) return f.ranges;
    const std::string name = "kernel" + std::to_string(kernels.size());
    llvm::Function* split = emit_kernel(unit, k, name + "_range", true);
    llvm::IRBuilder<> b(unit.context);
    llvm::Type* i64 = b.getInt64Ty();
    f.ranges = llvm::Function::Create(llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy(), i64, i64}, false),
                                      llvm::GlobalValue::InternalLinkage, name + "_ranges", unit.module);
    f.ranges->setDoesNotThrow();
    b.SetInsertPoint(llvm::BasicBlock::Create(unit.context, "entry", f.ranges));
    llvm::SmallVector<Code, 8> args;
    for (unsigned i = 0; i < k.buffers.size(); ++i)
      args.push_back(b.CreateLoad(b.getPtrTy(), b.CreateConstGEP1_64(b.getPtrTy(), f.ranges->getArg(0), i)));
    args.push_back(f.ranges->getArg(1));
    args.push_back(f.ranges->getArg(2));
    b.CreateCall(split, args);
    b.CreateRetVoid();
    return f.ranges;
  }
};

class ProcedureEmitter {
 public:
  ProcedureEmitter(Shared& shared, const Procedure& procedure, const std::string& name, bool entry)
      : s_(shared), p_(procedure), j_(procedure.jaxpr), b_(shared.unit.context), entry_(entry) {
    f_ = new_function(
        name, entry && !shared.options.alone ? llvm::GlobalValue::ExternalLinkage : llvm::GlobalValue::InternalLinkage);
  }

  llvm::Function* emit() {
    // Statements have nothing in common but memory.
    llvm::Function* const whole = f_;
    std::span<const Statement> statements = p_.schedule.statements;
    std::vector<llvm::Function*> parts;
    while (statements.size() > kStatementsPerFunction) {
      f_ = new_function(whole->getName().str() + "_part" + std::to_string(parts.size()),
                        llvm::GlobalValue::InternalLinkage);
      mark_long(*f_);
      begin_function();
      emit_statements(statements.first(kStatementsPerFunction));
      b_.CreateRet(b_.getInt32(0));
      parts.push_back(f_);
      statements = statements.subspan(kStatementsPerFunction);
    }
    f_ = whole;
    begin_function();
    for (llvm::Function* part : parts)
      check(b_.CreateCall(part, {f_->getArg(0), f_->getArg(1), f_->getArg(2), f_->getArg(3)}));
    emit_statements(statements);
    if (!entry_) deliver();
    b_.CreateRet(b_.getInt32(0));
    return f_;
  }

  // A function of inputs, outputs and workspace alone: the program `entry`, then what it leaves to its caller.
  void emit_raw(llvm::Function* entry) {
    llvm::Type* ptr = b_.getPtrTy();
    // The name is the caller's; what is ours may have any other.
    if (llvm::GlobalValue* ours = s_.unit.module.getNamedValue(s_.options.raw_name)) ours->setName("weft_internal");
    f_ = llvm::Function::Create(llvm::FunctionType::get(b_.getInt32Ty(), {ptr, ptr, ptr}, false),
                                llvm::GlobalValue::ExternalLinkage, s_.options.raw_name, s_.unit.module);
    f_->setDoesNotThrow();
    b_.SetInsertPoint(block("entry"));
    forget_addresses();
    const std::span<const TensorView> captured = s_.options.captured;
    Code in = f_->getArg(0);
    for (const TensorView& v : captured) inputs_.push_back(data(v));
    for (std::uint32_t i = 0; inputs_.size() < j_.num_inputs(); ++i) inputs_.push_back(load_slot(in, i));
    for (std::uint32_t i = 0; i < j_.outputs().size(); ++i) outputs_.push_back(load_slot(f_->getArg(1), i));
    const bool replaces = replace_in_outputs();
    if (!captured.empty() || replaces) {
      in = frame_array(inputs_.size());
      for (std::size_t i = 0; i < inputs_.size(); ++i) {
        b_.CreateStore(inputs_[i], slot(in, i));
        breathe();
      }
    }
    Code status =
        b_.CreateCall(entry, {in, f_->getArg(1), f_->getArg(2), llvm::ConstantPointerNull::get(b_.getPtrTy())});
    deliver();
    b_.CreateRet(status);
  }

 private:
  // Addresses of so many inputs and outputs are read once; of more, each time.
  static constexpr std::size_t kMostKept = 32;
  // LLVM takes more than linear time in the length of a block.
  static constexpr std::size_t kLongBlock = 256;

  llvm::Function* new_function(const std::string& name, llvm::GlobalValue::LinkageTypes linkage) {
    llvm::Type* ptr = b_.getPtrTy();
    llvm::Function* f = llvm::Function::Create(llvm::FunctionType::get(b_.getInt32Ty(), {ptr, ptr, ptr, ptr}, false),
                                               linkage, name, s_.unit.module);
    f->setDoesNotThrow();
    f->addFnAttr(kIsProcedure);
    return f;
  }
  // Addresses in registers are those of one function.
  void forget_addresses() {
    workspace_.clear();
    inputs_.clear();
    outputs_.clear();
  }
  void begin_function() {
    b_.SetInsertPoint(block("entry"));
    forget_addresses();
    if (j_.num_inputs() + j_.outputs().size() > kMostKept) return;
    for (std::uint32_t i = 0; i < j_.num_inputs(); ++i) inputs_.push_back(load_slot(f_->getArg(0), i));
    for (std::uint32_t i = 0; i < j_.outputs().size(); ++i) outputs_.push_back(load_slot(f_->getArg(1), i));
  }
  void emit_statements(std::span<const Statement> statements) {
    for (const Statement& s : statements) {
      breathe();
      const auto index = static_cast<std::size_t>(&s - p_.schedule.statements.data());
      if (followed_ == index) continue;
      if (s_.options.timed) {
        s_.tables.statements.push_back({&p_, static_cast<std::uint32_t>(index)});
        call_context(offsetof(RunContext, statement_begin), b_.getVoidTy(),
                     {number(static_cast<std::int64_t>(s_.tables.statements.size()) - 1)});
      }
      switch (s.kind) {
        case Statement::Kind::kKernel: kernel(p_.schedule.kernels[s.index]); break;
        case Statement::Kind::kUpdate:
          if (!is_at(s.from, s.var)) copy(place(s.var), memory(s.from), j_.aval(s.var).bytes());
          break;
        case Statement::Kind::kOp:
          // The last one's follower may be in another function.
          if (&s == &statements.back() || !operation_with(s.index, index + 1)) operation(s.index);
          break;
      }
      if (s_.options.timed) call_context(offsetof(RunContext, statement_end), b_.getVoidTy(), {});
    }
  }

  llvm::BasicBlock* block(const char* name) { return llvm::BasicBlock::Create(s_.unit.context, name, f_); }
  void breathe() {
    if (b_.GetInsertBlock()->size() < kLongBlock) return;
    llvm::BasicBlock* next = block("next");
    b_.CreateBr(next);
    b_.SetInsertPoint(next);
  }
  Code load_slot(Code array, std::size_t i) { return b_.CreateLoad(b_.getPtrTy(), slot(array, i)); }
  llvm::ConstantInt* number(std::int64_t v) { return b_.getInt64(static_cast<std::uint64_t>(v)); }
  Code slot(Code array, std::size_t i) { return b_.CreateConstGEP1_64(b_.getPtrTy(), array, i); }
  Code workspace(std::int64_t offset) {
    if (workspace_.size() > kMostKept && !workspace_.contains(offset))
      return b_.CreateConstGEP1_64(b_.getInt8Ty(), f_->getArg(2), static_cast<std::uint64_t>(offset));
    Code& address = workspace_[offset];
    if (!address) {
      llvm::IRBuilder<> at_entry(&f_->getEntryBlock(), f_->getEntryBlock().begin());
      address = at_entry.CreateConstGEP1_64(b_.getInt8Ty(), f_->getArg(2), static_cast<std::uint64_t>(offset));
    }
    return address;
  }
  Code context() { return f_->getArg(3); }

  // An array of pointers in the frame.
  Code frame_array(std::size_t n) {
    llvm::IRBuilder<> at_entry(&f_->getEntryBlock(), f_->getEntryBlock().begin());
    return at_entry.CreateAlloca(b_.getPtrTy(), at_entry.getInt64(std::max<std::size_t>(n, 1)));
  }

  // ---- memory ----

  Code input(std::size_t i) { return inputs_.empty() ? load_slot(f_->getArg(0), i) : inputs_[i]; }
  Code output(std::size_t i) { return outputs_.empty() ? load_slot(f_->getArg(1), i) : outputs_[i]; }
  Code place(ir::Var v) {
    const Place& p = p_.places[v];
    switch (p.kind) {
      case Place::Kind::kInput: return input(static_cast<std::size_t>(p.at));
      case Place::Kind::kOutput: return output(static_cast<std::size_t>(p.at));
      case Place::Kind::kWorkspace: return workspace(p.at);
      case Place::Kind::kNone: return workspace(0);  // no elements
    }
    return nullptr;
  }
  // Whether the value is where the variable is.
  bool is_at(ir::Atom a, ir::Var v) const {
    if (!a.is_literal()) a = p_.schedule.memory[a.index()];
    return !a.is_literal() && p_.places[a.index()] == p_.places[v];
  }
  Code memory(ir::Atom a) {
    if (!a.is_literal()) a = p_.schedule.memory[a.index()];
    return a.is_literal() ? constant(j_.literal(a)) : place(a.index());
  }
  Code constant(const ir::Literal& l) {
    const auto element = static_cast<std::size_t>(byte_size(l.aval.dtype()));
    std::string bytes(static_cast<std::size_t>(l.aval.bytes()), '\0');
    for (std::size_t i = 0; i < bytes.size(); i += element) std::memcpy(bytes.data() + i, l.value.data(), element);
    auto* data = llvm::ConstantDataArray::getString(s_.unit.context, bytes, false);
    auto*& global = constants_[bytes];
    if (!global) {
      global = new llvm::GlobalVariable(s_.unit.module, data->getType(), true, llvm::GlobalValue::PrivateLinkage, data);
      global->setAlignment(llvm::Align(64));
    }
    return global;
  }
  Code data(const TensorView& v) {
    const llvm::StringRef bytes(static_cast<const char*>(v.data), static_cast<std::size_t>(v.aval.bytes()));
    auto* content = llvm::ConstantDataArray::getString(s_.unit.context, bytes, false);
    auto* global =
        new llvm::GlobalVariable(s_.unit.module, content->getType(), true, llvm::GlobalValue::PrivateLinkage, content);
    global->setAlignment(llvm::Align(64));
    return global;
  }
  void copy(Code to, Code from, std::int64_t bytes) {
    if (bytes == 0) return;
    b_.CreateMemCpy(to, llvm::MaybeAlign(1), from, llvm::MaybeAlign(1), static_cast<std::uint64_t>(bytes));
  }

  // ---- calls of the context ----

  // The program needs its context then.
  Code call_context(std::size_t offset, llvm::Type* result, llvm::ArrayRef<Code> args) {
    s_.uses_context = true;
    return call_function_of_context(offset, result, args);
  }
  Code call_function_of_context(std::size_t offset, llvm::Type* result, llvm::ArrayRef<Code> args) {
    llvm::SmallVector<Code, 6> all{context()};
    all.append(args.begin(), args.end());
    llvm::SmallVector<llvm::Type*, 6> types;
    for (Code a : all) types.push_back(a->getType());
    Code function = b_.CreateLoad(b_.getPtrTy(), b_.CreateConstGEP1_64(b_.getInt8Ty(), context(), offset));
    return b_.CreateCall(llvm::FunctionType::get(result, types, false), function, all);
  }
  // Returns from the procedure when `status` is not 0.
  void check(Code status) {
    llvm::BasicBlock *failed = block("failed"), *fine = block("fine");
    b_.CreateCondBr(b_.CreateICmpNE(status, b_.getInt32(0)), failed, fine);
    b_.SetInsertPoint(failed);
    b_.CreateRet(b_.getInt32(1));
    b_.SetInsertPoint(fine);
  }

  // ---- statements ----

  // Steps of the outermost loop that take `nanoseconds`, about.
  static std::int64_t grain_of(const Kernel& k, double nanoseconds) {
    const std::int64_t step = split_step(k);
    const double each = k.cost() / static_cast<double>(k.loops.front());
    return (static_cast<std::int64_t>(nanoseconds / each) + step) / step * step;
  }
  Code buffer_array(const Kernel& k) {
    Code array = frame_array(k.buffers.size());
    for (std::size_t i = 0; i < k.buffers.size(); ++i) b_.CreateStore(place(k.buffers[i].var), slot(array, i));
    return array;
  }

  void kernel(const Kernel& k) {
    const double cost = k.cost();
    const std::int64_t step = split_step(k), extent = k.loops.front();
    const bool is_long = cost >= 2 * kPieceNanoseconds;
    const double piece = is_long ? kPieceNanoseconds : kShortPieceNanoseconds;
    if (s_.options.alone || step == 0 || cost < 2 * piece || extent < 2 * step) {
      llvm::SmallVector<Code, 8> buffers;
      for (const Kernel::Buffer& b : k.buffers) buffers.push_back(place(b.var));
      b_.CreateCall(s_.direct(k), buffers);
      return;
    }
    const std::int64_t grain = grain_of(k, piece);
    Code array = buffer_array(k);
    llvm::Function* ranges = s_.ranges(k);
    if (is_long) {
      call_context(offsetof(RunContext, run_kernel), b_.getVoidTy(), {ranges, array, number(extent), number(grain)});
      return;
    }
    // Without a context, as RawFunction calls the program, all on this thread.
    llvm::BasicBlock *shared = block("shared"), *own = block("own"), *done = block("done");
    b_.CreateCondBr(b_.CreateIsNull(context()), own, shared);
    b_.SetInsertPoint(own);
    b_.CreateCall(ranges, {array, number(0), number(extent)});
    b_.CreateBr(done);
    b_.SetInsertPoint(shared);
    call_function_of_context(offsetof(RunContext, run_short_kernel), b_.getVoidTy(),
                             {ranges, array, number(extent), number(grain)});
    b_.CreateBr(done);
    b_.SetInsertPoint(done);
  }

  // An operation together with the kernel of the statement after it; false where that is not its epilogue. Times are
  // those of statements, so there each runs alone.
  bool operation_with(std::uint32_t index, std::size_t next) {
    const std::int64_t elements = p_.epilogues[next];
    if (elements == 0 || s_.options.timed || s_.options.alone) return false;
    const Kernel& k = p_.schedule.kernels[p_.schedule.statements[next].index];
    const ir::Eqn& e = j_.eqns()[index];
    s_.tables.steps.push_back({&p_, index});
    Code status =
        call_context(offsetof(RunContext, run_step_with), b_.getInt32Ty(),
                     {number(static_cast<std::int64_t>(s_.tables.steps.size()) - 1), operand_array(e), result_array(e),
                      s_.ranges(k), buffer_array(k), number(split_step(k)), number(elements)});
    llvm::BasicBlock *not_all = block("not_all"), *done = block("done");
    b_.CreateCondBr(b_.CreateIsNull(status), done, not_all);
    b_.SetInsertPoint(not_all);
    check(b_.CreateAnd(status, b_.getInt32(1)));
    kernel(k);
    b_.CreateBr(done);
    b_.SetInsertPoint(done);
    followed_ = next;
    return true;
  }

  void operation(std::uint32_t index) {
    const ir::Eqn& e = j_.eqns()[index];
    const auto nested = p_.nested.find(index);
    if (nested != p_.nested.end()) {
      switch (e.op) {
        case OpCode::kCase: return choice(e, nested->second);
        case OpCode::kScan: return scan(e, index, nested->second);
        case OpCode::kWhile: return while_loop(e, index, nested->second);
        default: return call(e, nested->second);
      }
    }
    if (e.op == OpCode::kDotGeneral && dot(e)) return;
    if (s_.options.alone) {
      s_.without_code.insert(std::string(ir::op_name(e.op)));
      return;
    }
    s_.tables.steps.push_back({&p_, index});
    check(call_context(
        offsetof(RunContext, run_step), b_.getInt32Ty(),
        {number(static_cast<std::int64_t>(s_.tables.steps.size()) - 1), operand_array(e), result_array(e)}));
  }

  // A small product.
  bool dot(const ir::Eqn& e) {
    const std::span<const ir::Atom> x = j_.operands(e);
    const Aval lhs = j_.aval(x[0]), rhs = j_.aval(x[1]), out = j_.aval(e.out_begin);
    const ir::ParamsBase* params = e.params.get();
    if (!can_emit_dot(lhs, rhs, out)) return false;
    if (!s_.options.alone && dot_work(params, lhs, out) > kInlineDotWork) return false;
    b_.CreateCall(s_.dot(params, lhs, rhs, out), {memory(x[0]), memory(x[1]), place(e.out_begin)});
    return true;
  }

  Code operand_array(const ir::Eqn& e, std::size_t first = 0) { return address_array(j_.operands(e).subspan(first)); }
  Code result_array(const ir::Eqn& e) {
    std::vector<ir::Atom> results;
    for (ir::Var v = e.out_begin; v < e.out_end; ++v) results.push_back(ir::Atom::var(v));
    return address_array(results);
  }
  // The addresses of values in an array. Long ones are made by few instructions: addresses that stand together in our
  // own arrays are copied, those in the workspace are computed in a loop.
  Code address_array(std::span<const ir::Atom> values) {
    Code array = frame_array(values.size());
    std::vector<std::pair<std::size_t, std::int64_t>> offsets;
    for (std::size_t i = 0; i < values.size();) {
      const ir::Atom a = values[i].is_literal() ? values[i] : p_.schedule.memory[values[i].index()];
      const Place place = a.is_literal() ? Place{} : p_.places[a.index()];
      std::size_t end = i + 1;
      if (place.kind == Place::Kind::kInput || place.kind == Place::Kind::kOutput)
        while (end < values.size() && !values[end].is_literal()) {
          const ir::Atom next = p_.schedule.memory[values[end].index()];
          if (next.is_literal() ||
              !(p_.places[next.index()] == Place{place.kind, place.at + static_cast<std::int64_t>(end - i)}))
            break;
          ++end;
        }
      if (end - i >= kRun) {
        Code from = slot(f_->getArg(place.kind == Place::Kind::kInput ? 0 : 1), static_cast<std::size_t>(place.at));
        b_.CreateMemCpy(slot(array, i), llvm::MaybeAlign(8), from, llvm::MaybeAlign(8), 8 * (end - i));
      } else if (place.kind == Place::Kind::kWorkspace && values.size() > kLongBlock) {
        offsets.emplace_back(i, place.at);
        end = i + 1;
      } else {
        b_.CreateStore(memory(values[i]), slot(array, i));
        end = i + 1;
      }
      i = end;
    }
    if (!offsets.empty()) store_workspace_addresses(array, offsets);
    return array;
  }
  static constexpr std::size_t kRun = 8;

  // array[position] = workspace + offset for all pairs.
  void store_workspace_addresses(Code array, std::span<const std::pair<std::size_t, std::int64_t>> pairs) {
    llvm::Type* i64 = b_.getInt64Ty();
    std::vector<std::uint64_t> numbers;
    for (const auto& [position, offset] : pairs) {
      numbers.push_back(position);
      numbers.push_back(static_cast<std::uint64_t>(offset));
    }
    auto* data = llvm::ConstantDataArray::get(s_.unit.context, numbers);
    auto* table =
        new llvm::GlobalVariable(s_.unit.module, data->getType(), true, llvm::GlobalValue::PrivateLinkage, data);
    emit_for(b_, number(0), number(static_cast<std::int64_t>(pairs.size())), 1, [&](Code i) {
      Code at = b_.CreateMul(i, number(2));
      Code position = b_.CreateLoad(i64, b_.CreateGEP(i64, table, at));
      Code offset = b_.CreateLoad(i64, b_.CreateGEP(i64, table, b_.CreateAdd(at, number(1))));
      b_.CreateStore(b_.CreateGEP(b_.getInt8Ty(), f_->getArg(2), offset), b_.CreateGEP(b_.getPtrTy(), array, position));
    });
  }

  Code call_procedure(std::uint32_t procedure, Code in, Code out, Code space) {
    return b_.CreateCall(s_.procedures[procedure], {in, out, space, context()});
  }

  void call(const ir::Eqn& e, const Procedure::Nested& nested) {
    check(call_procedure(nested.procedures[0], operand_array(e), result_array(e), workspace(nested.workspace)));
  }

  void choice(const ir::Eqn& e, const Procedure::Nested& nested) {
    const ir::Atom index = j_.operands(e)[0];
    Code in = operand_array(e, 1), out = result_array(e), space = workspace(nested.workspace);
    const bool is_bool = j_.aval(index).dtype() == boolean;
    llvm::Type* type = is_bool ? b_.getInt8Ty() : b_.getInt32Ty();
    Code i = b_.CreateLoad(type, memory(index));
    const std::size_t last = nested.procedures.size() - 1;
    llvm::BasicBlock *after = block("after_case"), *from;
    llvm::SmallVector<llvm::BasicBlock*, 4> blocks;
    for (std::size_t k = 0; k <= last; ++k) blocks.push_back(block("branch"));
    llvm::SwitchInst* sw = b_.CreateSwitch(i, blocks[last]);
    for (std::size_t k = 0; k < last; ++k)
      sw->addCase(llvm::cast<llvm::ConstantInt>(llvm::ConstantInt::get(type, k)), blocks[k]);
    b_.SetInsertPoint(after);
    llvm::PHINode* status = b_.CreatePHI(b_.getInt32Ty(), static_cast<unsigned>(last + 1));
    for (std::size_t k = 0; k <= last; ++k) {
      b_.SetInsertPoint(blocks[k]);
      Code result = call_procedure(nested.procedures[k], in, out, space);
      from = b_.GetInsertBlock();
      b_.CreateBr(after);
      status->addIncoming(result, from);
    }
    b_.SetInsertPoint(after);
    check(status);
  }

  // The two memories of a carried value: the body reads one and writes the other, then they change places. One only
  // when the body replaces the value in place.
  struct Carried {
    std::size_t in, out;  // in the arrays of the body
    ir::Var var;
    Code result, spare;  // spare is null when it is replaced
    std::int64_t bytes;
  };

  // What the carried values' memories are before the first step, which must write to `result` when `to_result`, else to
  // the spare one.
  void start_carry(const Carried& c, ir::Atom start, bool overwritten, bool to_result, Code in, Code out) {
    Code init = memory(start);
    if (!c.spare) {
      if (!is_at(start, c.var)) copy(c.result, init, c.bytes);
      b_.CreateStore(c.result, slot(in, c.in));
      b_.CreateStore(c.result, slot(out, c.out));
      return;
    }
    Code first = to_result ? c.result : c.spare, other = to_result ? c.spare : c.result;
    if (overwritten) {
      copy(other, init, c.bytes);
      init = other;
    }
    b_.CreateStore(init, slot(in, c.in));
    b_.CreateStore(first, slot(out, c.out));
  }
  void next_carry(const Carried& c, Code in, Code out) {
    if (!c.spare) return;
    Code written = b_.CreateLoad(b_.getPtrTy(), slot(out, c.out));
    b_.CreateStore(written, slot(in, c.in));
    b_.CreateStore(b_.CreateSelect(b_.CreateICmpEQ(written, c.result), c.spare, c.result), slot(out, c.out));
  }

  llvm::SmallVector<Carried, 4> carried(const ir::Eqn& e, const Procedure::Nested& nested, std::size_t first_input) {
    llvm::SmallVector<Carried, 4> all;
    for (std::size_t c = 0; c < nested.spare.size(); ++c) {
      const ir::Var v = e.out_begin + static_cast<ir::Var>(c);
      all.push_back({first_input + c, c, v, place(v), nested.spare[c] < 0 ? nullptr : workspace(nested.spare[c]),
                     j_.aval(v).bytes()});
    }
    return all;
  }

  // Whether the loop tells where it is, for errors.
  bool tells(bool may_fail) const { return may_fail && !s_.options.alone; }
  void begin_loop(std::uint32_t index, bool told) {
    if (!told) return;
    s_.tables.loops.push_back({&p_, index});
    loop_ = static_cast<std::int64_t>(s_.tables.loops.size()) - 1;
    call_context(offsetof(RunContext, loop_begin), b_.getVoidTy(), {number(loop_)});
  }

  void scan(const ir::Eqn& e, std::uint32_t index, const Procedure::Nested& nested) {
    const auto& params = ir::params_as<ScanParams>(e.params.get());
    const Procedure& body = *s_.program.procedures[nested.procedures[0]];
    const std::span<const ir::Atom> operands = j_.operands(e);
    const std::size_t consts = params.jaxpr.num_consts(), first_x = consts + nested.spare.size();
    const std::int64_t length = params.length;
    const llvm::SmallVector<Carried, 4> carry = carried(e, nested, consts);
    if (length == 0) {
      for (const Carried& c : carry)
        if (!is_at(operands[c.in], c.var)) copy(c.result, memory(operands[c.in]), c.bytes);
      return;
    }
    Code in = operand_array(e), out = result_array(e);
    for (const Carried& c : carry) start_carry(c, operands[c.in], body.overwrites[c.in], length % 2 == 1, in, out);
    const auto bytes = [](Aval a) { return a.bytes() / std::max<std::int64_t>(1, a.shape(0)); };
    const bool told = tells(body.has_steps);
    begin_loop(index, told);
    const std::int64_t loop = loop_;
    llvm::BasicBlock *before = b_.GetInsertBlock(), *head = block("scan"), *after = block("after_scan");
    b_.CreateBr(head);
    b_.SetInsertPoint(head);
    llvm::PHINode* step = b_.CreatePHI(b_.getInt64Ty(), 2);
    step->addIncoming(number(0), before);
    Code at = params.reverse ? b_.CreateSub(number(length - 1), step) : step;
    for (std::size_t x = first_x; x < operands.size(); ++x)
      b_.CreateStore(
          b_.CreateGEP(b_.getInt8Ty(), memory(operands[x]), b_.CreateMul(at, number(bytes(j_.aval(operands[x]))))),
          slot(in, x));
    for (ir::Var v = e.out_begin + static_cast<ir::Var>(carry.size()); v < e.out_end; ++v)
      b_.CreateStore(b_.CreateGEP(b_.getInt8Ty(), place(v), b_.CreateMul(at, number(bytes(j_.aval(v))))),
                     slot(out, v - e.out_begin));
    if (told)
      call_context(offsetof(RunContext, loop_at), b_.getVoidTy(),
                   {number(loop), at, llvm::ConstantPointerNull::get(b_.getPtrTy())});
    check(call_procedure(nested.procedures[0], in, out, workspace(nested.workspace)));
    for (const Carried& c : carry) next_carry(c, in, out);
    Code next = b_.CreateAdd(step, number(1));
    step->addIncoming(next, b_.GetInsertBlock());
    b_.CreateCondBr(b_.CreateICmpSLT(next, number(length)), head, after);
    b_.SetInsertPoint(after);
    if (told) call_context(offsetof(RunContext, loop_end), b_.getVoidTy(), {});
  }

  void while_loop(const ir::Eqn& e, std::uint32_t index, const Procedure::Nested& nested) {
    const auto& params = ir::params_as<WhileParams>(e.params.get());
    const Procedure &cond = *s_.program.procedures[nested.procedures[0]],
                    &body = *s_.program.procedures[nested.procedures[1]];
    const std::span<const ir::Atom> operands = j_.operands(e);
    const std::size_t cond_consts = params.cond_jaxpr.num_consts(), body_consts = params.body_jaxpr.num_consts();
    const llvm::SmallVector<Carried, 4> carry = carried(e, nested, body_consts);
    Code cond_in = frame_array(cond_consts + carry.size()), cond_out = frame_array(1);
    Code in = frame_array(body_consts + carry.size()), out = frame_array(carry.size());
    for (std::size_t i = 0; i < cond_consts; ++i) b_.CreateStore(memory(operands[i]), slot(cond_in, i));
    for (std::size_t i = 0; i < body_consts; ++i) b_.CreateStore(memory(operands[cond_consts + i]), slot(in, i));
    for (std::size_t c = 0; c < carry.size(); ++c)
      start_carry(carry[c], operands[cond_consts + body_consts + c], body.overwrites[carry[c].in], true, in, out);
    b_.CreateStore(workspace(nested.flag), slot(cond_out, 0));
    const bool told = tells(cond.has_steps || body.has_steps || params.max_steps);
    begin_loop(index, told);
    const std::int64_t loop = loop_;
    llvm::BasicBlock *before = b_.GetInsertBlock(), *head = block("while"), *go = block("body"),
                     *after = block("after_while");
    b_.CreateBr(head);
    b_.SetInsertPoint(head);
    llvm::PHINode* step = b_.CreatePHI(b_.getInt64Ty(), 2);
    step->addIncoming(number(0), before);
    const auto current = [&](std::size_t c) -> Code { return b_.CreateLoad(b_.getPtrTy(), slot(in, carry[c].in)); };
    for (std::size_t c = 0; c < carry.size(); ++c) b_.CreateStore(current(c), slot(cond_in, cond_consts + c));
    if (told)
      call_context(offsetof(RunContext, loop_at), b_.getVoidTy(),
                   {number(loop), step, carry.empty() ? llvm::ConstantPointerNull::get(b_.getPtrTy()) : current(0)});
    Code space = workspace(nested.workspace);
    check(call_procedure(nested.procedures[0], cond_in, cond_out, space));
    Code goes_on = b_.CreateICmpNE(b_.CreateLoad(b_.getInt8Ty(), workspace(nested.flag)), b_.getInt8(0));
    b_.CreateCondBr(goes_on, go, after);
    b_.SetInsertPoint(go);
    if (params.max_steps) {
      llvm::BasicBlock *many = block("too_many"), *fine = block("in_bounds");
      b_.CreateCondBr(b_.CreateICmpSGE(step, number(*params.max_steps)), many, fine);
      b_.SetInsertPoint(many);
      if (told) call_context(offsetof(RunContext, too_many_steps), b_.getInt32Ty(), {number(loop)});
      b_.CreateRet(b_.getInt32(1));
      b_.SetInsertPoint(fine);
    }
    check(call_procedure(nested.procedures[1], in, out, space));
    for (const Carried& c : carry) next_carry(c, in, out);
    step->addIncoming(b_.CreateAdd(step, number(1)), b_.GetInsertBlock());
    b_.CreateBr(head);
    b_.SetInsertPoint(after);
    if (told) call_context(offsetof(RunContext, loop_end), b_.getVoidTy(), {});
    // The last state may be in the other memory, or where it came from.
    for (std::size_t c = 0; c < carry.size(); ++c) {
      if (!carry[c].spare || carry[c].bytes == 0) continue;
      llvm::BasicBlock *move = block("move"), *there = block("there");
      Code last = current(c);
      b_.CreateCondBr(b_.CreateICmpEQ(last, carry[c].result), there, move);
      b_.SetInsertPoint(move);
      copy(carry[c].result, last, carry[c].bytes);
      b_.CreateBr(there);
      b_.SetInsertPoint(there);
    }
  }

  // What takes the place of an input is made in the memory of the output, with the input copied there; the caller may
  // have both in one place. Whether there is any.
  bool replace_in_outputs() {
    bool any = false;
    for (std::size_t i = 0; i < p_.outputs.size(); ++i) {
      const Procedure::Output& o = p_.outputs[i];
      if (o.kind != Procedure::Output::Kind::kReplaced) continue;
      any = true;
      llvm::BasicBlock *move = block("move"), *there = block("there");
      b_.CreateCondBr(b_.CreateICmpEQ(inputs_[o.index], outputs_[i]), there, move);
      b_.SetInsertPoint(move);
      copy(outputs_[i], inputs_[o.index], j_.aval(j_.outputs()[i]).bytes());
      b_.CreateBr(there);
      b_.SetInsertPoint(there);
      inputs_[o.index] = outputs_[i];
    }
    return any;
  }

  // Outputs that are elsewhere than the caller wants them.
  void deliver() {
    for (std::size_t i = 0; i < p_.outputs.size(); ++i) {
      const Procedure::Output& o = p_.outputs[i];
      const std::int64_t bytes = j_.aval(j_.outputs()[i]).bytes();
      using Kind = Procedure::Output::Kind;
      if (o.kind == Kind::kInput || o.kind == Kind::kOutput || o.kind == Kind::kLiteral)
        copy(output(i), memory(j_.outputs()[i]), bytes);
      breathe();
    }
  }

  Shared& s_;
  const Procedure& p_;
  const ir::Jaxpr& j_;
  llvm::IRBuilder<> b_;
  bool entry_;
  llvm::Function* f_ = nullptr;
  std::vector<Code> inputs_, outputs_;
  std::map<std::int64_t, Code> workspace_;  // addresses by offset
  std::map<std::string, llvm::GlobalVariable*> constants_;
  std::int64_t loop_ = 0;
  std::size_t followed_ = ~std::size_t{0};  // the statement that ran as an epilogue
};

}  // namespace

ProgramTables emit_program(LlvmUnit& unit, const compiler::Program& program, const CodeOptions& options) {
  Shared shared{unit, program, options};
  for (std::size_t i = 0; i < program.procedures.size(); ++i) {
    const bool is_entry = i + 1 == program.procedures.size();
    ProcedureEmitter emitter(shared, *program.procedures[i], is_entry ? kEntryName : "procedure" + std::to_string(i),
                             is_entry);
    llvm::Function* f = emitter.emit();
    if (f->getInstructionCount() > kLongProcedure) mark_long(*f);
    shared.procedures.push_back(f);
    if (is_entry && !shared.uses_context) emitter.emit_raw(shared.procedures.back());
  }
  if (!shared.without_code.empty()) {
    std::string names;
    for (const std::string& n : shared.without_code) names += (names.empty() ? "" : ", ") + n;
    throw BackendError("compile: a program that runs alone must consist of operations with code of their own; got " +
                       names + ".");
  }
  shared.tables.has_raw = !shared.uses_context;
  return std::move(shared.tables);
}

}  // namespace weft::cpu
