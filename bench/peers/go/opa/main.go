// SPDX-License-Identifier: Apache-2.0

// Open Policy Agent as a library: a prepared query over parsed input.  Its data are entities with their
// ancestors closed beforehand, and links by what they are asked for; they stay in memory as AST values.
package main

import (
	"context"
	"embed"
	"strings"

	"forbid/bench/rounds"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/version"
)

//go:embed *.rego
var modules embed.FS

// Uids as text, sets of them as objects that are asked for a member.
func plain(value any) any {
	if uid, ok := rounds.Ref(value); ok {
		return uid
	}
	list, ok := value.([]any)
	if !ok {
		return value
	}
	members := map[string]any{}
	for _, member := range list {
		if uid, ok := rounds.Ref(member); ok {
			members[uid] = true
		}
	}
	return members
}

func entityData(dir string) map[string]any {
	list := rounds.ReadEntities(dir)
	closed, entities := rounds.Ancestors(list), map[string]any{}
	for _, entity := range list {
		uid, attrs, in := entity.UID.String(), map[string]any{}, map[string]any{}
		for name, value := range entity.Attrs {
			attrs[name] = plain(value)
		}
		for ancestor := range closed[uid] {
			in[ancestor] = true
		}
		entities[uid] = map[string]any{"type": entity.UID.Type, "attrs": attrs, "in": in}
	}
	return entities
}

// links[principal][resource][template]
func linkData(dir string) map[string]any {
	links := map[string]any{}
	child := func(object map[string]any, key string) map[string]any {
		if _, there := object[key]; !there {
			object[key] = map[string]any{}
		}
		return object[key].(map[string]any)
	}
	for _, link := range rounds.ReadLinks(dir) {
		child(child(links, link.Args["?principal"]), link.Args["?resource"])[link.Template] = true
	}
	return links
}

func load(dir string) rounds.Engine[ast.Value] {
	ctx := context.Background()
	name := strings.ReplaceAll(rounds.Kind(dir), "-", "_") + ".rego"
	module, err := modules.ReadFile(name)
	rounds.Need(err)
	store := inmem.NewFromObjectWithOpts(map[string]any{"entities": entityData(dir), "links": linkData(dir)}, inmem.OptReturnASTValuesOnRead(true))
	query, err := rego.New(rego.Query("data.bench.allow"), rego.Module(name, string(module)), rego.Store(store)).PrepareForEval(ctx)
	rounds.Need(err)
	return rounds.Engine[ast.Value]{
		Prepare: func(r rounds.Request) ast.Value {
			return ast.NewObject(ast.Item(ast.StringTerm("principal"), ast.StringTerm(r.Principal)),
				ast.Item(ast.StringTerm("action"), ast.StringTerm(rounds.ParseUID(r.Action).ID)), ast.Item(ast.StringTerm("resource"), ast.StringTerm(r.Resource)))
		},
		Decide: func(input ast.Value) bool {
			results, err := query.Eval(ctx, rego.EvalParsedInput(input))
			rounds.Need(err)
			return results.Allowed()
		},
	}
}

func main() { rounds.Main("opa", version.Version, "prepared", load) }
