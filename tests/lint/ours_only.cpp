// A plugin of clang-tidy: its checks walk through our declarations only. Most of what a source reads is headers of
// libraries; clang-tidy 14 walks through all of that, too, only to throw away what it finds there.
// tidy.py compiles it.
#include <clang-tidy/ClangTidyCheck.h>
#include <clang-tidy/ClangTidyModule.h>
#include <clang-tidy/ClangTidyModuleRegistry.h>
#include <clang/AST/ASTContext.h>
#include <clang/ASTMatchers/ASTMatchFinder.h>

#include <vector>

namespace {

/// Finds nothing. It is asked about the whole translation unit before anything in it is walked through, and then says
/// what is to be.
class OursOnly : public clang::tidy::ClangTidyCheck {
public:
    using ClangTidyCheck::ClangTidyCheck;

    void registerMatchers(clang::ast_matchers::MatchFinder* finder) override {
        finder->addMatcher(clang::ast_matchers::translationUnitDecl().bind("unit"), this);
    }

    void check(const clang::ast_matchers::MatchFinder::MatchResult& found) override {
        std::vector<clang::Decl*> ours;
        for (clang::Decl* each : found.Nodes.getNodeAs<clang::TranslationUnitDecl>("unit")->decls()) {
            if (!found.SourceManager->isInSystemHeader(each->getLocation())) ours.push_back(each);
        }
        found.Context->setTraversalScope(ours);
    }
};

class Module : public clang::tidy::ClangTidyModule {
public:
    void addCheckFactories(clang::tidy::ClangTidyCheckFactories& factories) override {
        factories.registerCheck<OursOnly>("portcullis-ours-only");
    }
};

const clang::tidy::ClangTidyModuleRegistry::Add<Module> added("portcullis", "Keeps the other checks to our own code.");

}  // namespace
