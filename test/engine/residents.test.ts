import { describe, expect, it } from 'vitest'
import { Residents } from '../../activities/engine/residents.ts'

const model = (name: string, released: string[]) => ({ release: () => void released.push(name) })

describe('residents', () => {
  it('let the longest unused go when the budget is passed', () => {
    const released: string[] = []
    const residents = new Residents(10)
    residents.put('a', model('a', released), 4)
    residents.put('b', model('b', released), 4)
    residents.get('a')
    residents.put('c', model('c', released), 4)
    expect(released).toEqual(['b'])
    expect(residents.get('a')).toBeDefined()
  })

  it('keep the newest even when it alone is over the budget', () => {
    const released: string[] = []
    const residents = new Residents(1)
    residents.put('a', model('a', released), 4)
    expect(released).toEqual([])
    residents.makeRoom(4)
    expect(released).toEqual(['a'])
  })

  it('hand over what is taken without releasing it', () => {
    const released: string[] = []
    const residents = new Residents(10)
    residents.put('a', model('a', released), 4)
    expect(residents.take('a')).toBeDefined()
    expect([residents.get('a'), released]).toEqual([undefined, []])
  })

  it('release what is replaced under its key', () => {
    const released: string[] = []
    const residents = new Residents(10)
    residents.put('a', model('old', released), 4)
    residents.put('a', model('new', released), 4)
    expect(released).toEqual(['old'])
  })
})
