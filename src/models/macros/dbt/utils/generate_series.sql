{# The least exponent, from 1, whose power of two reaches upper_bound. #}
{% macro get_powers_of_two(upper_bound) %}
    {% do return(adapter.dispatch('get_powers_of_two', 'dbt')(upper_bound)) %}
{% endmacro %}

{% macro default__get_powers_of_two(upper_bound) %}
    {% if upper_bound <= 0 %}
        {% do exceptions.raise_compiler_error('A series needs a positive number of rows, not ' ~ upper_bound) %}
    {% endif %}
    {% for exponent in range(1, 100) if 2 ** exponent >= upper_bound %}
        {% do return(exponent) %}
    {% endfor %}
{% endmacro %}

{% macro generate_series(upper_bound) %}
    {% do return(adapter.dispatch('generate_series', 'dbt')(upper_bound)) %}
{% endmacro %}

{# Each of the numbers is read as binary digits, one digit from each of the joined tables. #}
{% macro default__generate_series(upper_bound) %}

    {% set digits = range(dbt.get_powers_of_two(upper_bound)) %}

    with p as (
        select 0 as generated_number union all select 1
    ), unioned as (

    select

    {% for digit in digits %}
    p{{ digit }}.generated_number * power(2, {{ digit }})
    {{ ' + ' if not loop.last }}
    {% endfor %}
    + 1
    as generated_number

    from

    {% for digit in digits %}
    p as p{{ digit }}
    {{ ' cross join ' if not loop.last }}
    {% endfor %}

    )

    select *
    from unioned
    where generated_number <= {{ upper_bound }}
    order by generated_number

{% endmacro %}
