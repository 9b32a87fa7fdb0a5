// The AWS SDK for Go 1: computers of Lightsail, and a session of Nimble Studio.
package main

import (
	"fmt"
	"log"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awserr"
	"github.com/aws/aws-sdk-go/aws/request"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/lightsail"
	"github.com/aws/aws-sdk-go/service/nimblestudio"
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func equal(found, expected interface{}) {
	if fmt.Sprint(found) != fmt.Sprint(expected) {
		log.Fatalf("%v is not %v", found, expected)
	}
}

func code(err error) string {
	if failure, ok := err.(awserr.Error); ok {
		return failure.Code()
	}
	return fmt.Sprint(err)
}

func computers(client *lightsail.Lightsail) {
	names := []string{}
	input := &lightsail.GetInstancesInput{}
	for {
		page, err := client.GetInstances(input)
		check(err)
		for _, instance := range page.Instances {
			names = append(names, *instance.Name)
		}
		if page.NextPageToken == nil {
			break
		}
		input.PageToken = page.NextPageToken
	}
	equal(names, "[my-computer second third]")

	stopped, err := client.StopInstance(&lightsail.StopInstanceInput{InstanceName: aws.String("second")})
	check(err)
	equal(*stopped.Operations[0].OperationType, "StopInstance")

	_, err = client.GetInstance(&lightsail.GetInstanceInput{InstanceName: aws.String("nobody")})
	equal(code(err), "NotFoundException")
}

func streaming(client *nimblestudio.NimbleStudio) {
	studio := aws.String("studio-1")
	created, err := client.CreateStreamingSession(&nimblestudio.CreateStreamingSessionInput{
		StudioId: studio, LaunchProfileId: aws.String("lp-1"),
		Ec2InstanceType: aws.String("g5.xlarge"), Tags: map[string]*string{"a": aws.String("b")},
	})
	check(err)
	equal(*created.Session.State, "CREATE_IN_PROGRESS")
	equal(*created.Session.Tags["a"], "b")

	soon := request.WithWaiterDelay(request.ConstantWaiterDelay(100 * time.Millisecond))
	read := &nimblestudio.GetStreamingSessionInput{StudioId: studio, SessionId: created.Session.SessionId}
	check(client.WaitUntilStreamingSessionReadyWithContext(aws.BackgroundContext(), read, soon))
	made, err := client.CreateStreamingSessionStream(&nimblestudio.CreateStreamingSessionStreamInput{
		StudioId: studio, SessionId: created.Session.SessionId, ExpirationInSeconds: aws.Int64(60),
	})
	check(err)
	stream := &nimblestudio.GetStreamingSessionStreamInput{
		StudioId: studio, SessionId: created.Session.SessionId, StreamId: made.Stream.StreamId,
	}
	check(client.WaitUntilStreamingSessionStreamReadyWithContext(aws.BackgroundContext(), stream, soon))
	ready, err := client.GetStreamingSessionStream(stream)
	check(err)
	equal(strings.HasPrefix(*ready.Stream.Url, os.Getenv("AWS_ENDPOINT_URL")), true)

	_, err = client.DeleteStreamingSession(&nimblestudio.DeleteStreamingSessionInput{
		StudioId: studio, SessionId: created.Session.SessionId,
	})
	check(err)
	check(client.WaitUntilStreamingSessionDeletedWithContext(aws.BackgroundContext(), read, soon))
	read.SessionId = aws.String("a/b c+é")
	_, err = client.GetStreamingSession(read)
	equal(code(err), "ResourceNotFoundException")
}

func main() {
	endpoint := os.Getenv("AWS_ENDPOINT_URL")
	settings := session.Must(session.NewSession(aws.NewConfig().WithEndpoint(endpoint)))
	computers(lightsail.New(settings))
	streaming(nimblestudio.New(settings))
	// Without WithEndpoint, the SDK does not read AWS_ENDPOINT_URL. This sends nothing.
	bare := lightsail.New(session.Must(session.NewSession()))
	equal(strings.HasSuffix(bare.Endpoint, ".amazonaws.com"), true)
}
