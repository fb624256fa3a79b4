// SPDX-License-Identifier: Apache-2.0

// Casbin.  Its own rules hold who is in what (g, g2), which actions a grant is for (g3) and the grants (p);
// attributes come with the resource, as a struct.  The applications have a model each.  The forms with
// template links are the same to it as those with static policies, so that the static ones are left out.
package main

import (
	"embed"
	"strings"

	"forbid/bench/rounds"

	"github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"
)

//go:embed *.conf
var models embed.FS

// Thing is a resource: what it is called and the attributes that the models ask for.
type Thing struct {
	ID, Owner, Reporter string
	Public, Archived    bool
	Blocked             []any
}

type call struct {
	principal, action string
	resource          Thing
}

// Uids without their quotes, which a matcher's constants cannot hold.
func name(uid string) string { return strings.ReplaceAll(uid, `"`, "") }

func text(value any) string {
	uid, _ := rounds.Ref(value)
	return name(uid)
}

func isTrue(value any) bool {
	yes, _ := value.(bool)
	return yes
}

func things(entities []rounds.Entity) map[string]Thing {
	attrs, things := map[string]map[string]any{}, map[string]Thing{}
	for _, entity := range entities {
		attrs[name(entity.UID.String())] = entity.Attrs
	}
	for uid, its := range attrs {
		thing := Thing{ID: uid, Blocked: []any{}, Owner: text(its["owner"]), Reporter: text(its["reporter"]), Public: isTrue(its["public"])}
		thing.Archived = isTrue(its["archived"]) || isTrue(attrs[text(its["repo"])]["archived"])
		blocked, _ := attrs[thing.Owner]["blocked"].([]any)
		for _, user := range blocked {
			thing.Blocked = append(thing.Blocked, text(user))
		}
		things[uid] = thing
	}
	return things
}

// Users and what they are in; actions likewise; everything else is a resource.
func groupings(entities []rounds.Entity) (g, g2, g3 [][]string) {
	for _, entity := range entities {
		for _, parent := range entity.Parents {
			row := []string{name(entity.UID.String()), name(parent.String())}
			switch entity.UID.Type {
			case "User", "Team", "Group":
				g = append(g, row)
			case "Action":
				g3 = append(g3, []string{entity.UID.ID, parent.ID})
			default:
				g2 = append(g2, row)
			}
		}
	}
	return
}

// A link is a grant of an action group: the template's name is that group's but for its form.
var groupOf = map[string]string{"reader": "asReader", "triager": "asTriager", "writer": "asWriter", "maintainer": "asMaintainer",
	"admin": "asAdmin", "owner": "asOwner", "viewer": "view", "editor": "edit"}

func grants(dir string, entities []rounds.Entity) (rules [][]string) {
	for _, link := range rounds.ReadLinks(dir) {
		rules = append(rules, []string{name(link.Args["?principal"]), name(link.Args["?resource"]), groupOf[link.Template]})
	}
	if rounds.Kind(dir) != "tinytodo" {
		return rules
	}
	for _, list := range entities {
		if list.UID.Type != "List" {
			continue
		}
		editors := text(list.Attrs["editors"])
		rules = append(rules, []string{text(list.Attrs["readers"]), name(list.UID.String()), "getList"})
		for _, action := range []string{"getList", "updateList", "createTask", "updateTask", "deleteTask"} {
			rules = append(rules, []string{editors, name(list.UID.String()), action})
		}
	}
	return rules
}

func fill(enforcer *casbin.Enforcer, kind string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	var err error
	if strings.HasPrefix(kind, "g") {
		_, err = enforcer.AddNamedGroupingPolicies(kind, rows)
	} else {
		_, err = enforcer.AddNamedPolicies(kind, rows)
	}
	rounds.Need(err)
}

func load(dir string) rounds.Engine[call] {
	definition, err := models.ReadFile(strings.TrimSuffix(rounds.Kind(dir), "-templates") + ".conf")
	rounds.Need(err)
	parsed, err := model.NewModelFromString(string(definition))
	rounds.Need(err)
	enforcer, err := casbin.NewEnforcer(parsed)
	rounds.Need(err)
	entities := rounds.ReadEntities(dir)
	known := things(entities)
	g, g2, g3 := groupings(entities)
	fill(enforcer, "g", g)
	if strings.Contains(string(definition), "g2 =") {
		fill(enforcer, "g2", g2)
		fill(enforcer, "g3", g3)
	}
	fill(enforcer, "p", grants(dir, entities))
	return rounds.Engine[call]{
		Prepare: func(r rounds.Request) call {
			return call{name(r.Principal), rounds.ParseUID(r.Action).ID, known[name(r.Resource)]}
		},
		Decide: func(it call) bool {
			allowed, err := enforcer.Enforce(it.principal, it.resource, it.action)
			rounds.Need(err)
			return allowed
		},
	}
}

func main() {
	rounds.Main("casbin", rounds.Version("github.com/casbin/casbin/v3"), "enforce", load)
}
