// CoreDNS with the plugins of files/coredns.yaml alone: those of its release bring the SDKs of three clouds along,
// which take two thirds of the time that it takes to build.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
	_ "github.com/coredns/coredns/plugin/template"
)

// The order in which plugins see a query is this one, whatever the Corefile says:
// https://github.com/coredns/coredns/blob/master/plugin.cfg
func init() {
	dnsserver.Directives = []string{"ready", "errors", "template", "kubernetes"}
}

func main() {
	coremain.Run()
}
