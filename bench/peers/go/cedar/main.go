// SPDX-License-Identifier: Apache-2.0

// Cedar in Go.  It has no templates, so that each link becomes a policy of its own, made from the
// template's text.
package main

import (
	"encoding/json"
	"regexp"
	"strings"

	"forbid/bench/rounds"

	"github.com/cedar-policy/cedar-go"
)

var idOf = regexp.MustCompile(`@id\("([^"]+)"\)`)

func uid(text string) cedar.EntityUID {
	u := rounds.ParseUID(text)
	return cedar.NewEntityUID(cedar.EntityType(u.Type), cedar.String(u.ID))
}

func add(set *cedar.PolicySet, id, text string) {
	var policy cedar.Policy
	rounds.Need(policy.UnmarshalCedar([]byte(text)))
	set.Add(cedar.PolicyID(id), &policy)
}

// Each policy of the text begins with its @id.
func loadPolicies(dir string) *cedar.PolicySet {
	set, templates := cedar.NewPolicySet(), map[string]string{}
	text := string(rounds.Read(dir, "policies.cedar"))
	places := idOf.FindAllStringSubmatchIndex(text, -1)
	for i, place := range places {
		end := len(text)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		id, policy := text[place[2]:place[3]], text[place[0]:end]
		if strings.Contains(policy, "?principal") {
			templates[id] = policy
		} else {
			add(set, id, policy)
		}
	}
	for _, link := range rounds.ReadLinks(dir) {
		add(set, link.ID, strings.NewReplacer("?principal", link.Args["?principal"], "?resource", link.Args["?resource"]).Replace(templates[link.Template]))
	}
	return set
}

func load(dir string) rounds.Engine[cedar.Request] {
	policies := loadPolicies(dir)
	var entities cedar.EntityMap
	rounds.Need(json.Unmarshal(rounds.Read(dir, "entities.json"), &entities))
	return rounds.Engine[cedar.Request]{
		Prepare: func(r rounds.Request) cedar.Request {
			return cedar.Request{Principal: uid(r.Principal), Action: uid(r.Action), Resource: uid(r.Resource), Context: cedar.NewRecord(nil)}
		},
		Decide: func(request cedar.Request) bool {
			decision, _ := cedar.Authorize(policies, entities, request)
			return decision == cedar.Allow
		},
	}
}

func main() {
	rounds.Main("cedar-go", rounds.Version("github.com/cedar-policy/cedar-go"), "parsed", load)
}
