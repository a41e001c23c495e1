{% macro get_show_grant_sql(relation) %}
    {% do return(adapter.dispatch('get_show_grant_sql', 'dbt')(relation)) %}
{% endmacro %}

{% macro default__get_show_grant_sql(relation) %}
    show grants on {{ relation.render() }}
{% endmacro %}

{% macro get_grant_sql(relation, privilege, grantees) %}
    {% do return(adapter.dispatch('get_grant_sql', 'dbt')(relation, privilege, grantees)) %}
{% endmacro %}

{%- macro default__get_grant_sql(relation, privilege, grantees) -%}
    grant {{ privilege }} on {{ relation.render() }} to {{ grantees | join(', ') }}
{%- endmacro -%}

{% macro get_revoke_sql(relation, privilege, grantees) %}
    {% do return(adapter.dispatch('get_revoke_sql', 'dbt')(relation, privilege, grantees)) %}
{% endmacro %}

{%- macro default__get_revoke_sql(relation, privilege, grantees) -%}
    {%- set losers = [] -%}
    {%- for name in grantees -%}
        {%- do losers.append(adapter.quote(name)) -%}
    {%- endfor -%}
    revoke {{ privilege }} on {{ relation.render() }} from {{ losers | join(', ') }}
{%- endmacro -%}

{# {privilege: grantees} as statements that get_dcl_macro (get_grant_sql or get_revoke_sql) writes. #}
{% macro get_dcl_statement_list(relation, grant_config, get_dcl_macro) %}
    {% do return(adapter.dispatch('get_dcl_statement_list', 'dbt')(relation, grant_config, get_dcl_macro)) %}
{% endmacro %}

{%- macro default__get_dcl_statement_list(relation, grant_config, get_dcl_macro) -%}
    {%- set together = support_multiple_grantees_per_dcl_statement() -%}
    {%- set written = [] -%}
    {%- for privilege, grantees in grant_config.items() if grantees -%}
        {%- for named in ([grantees] if together else grantees | batch(1)) -%}
            {%- do written.append(get_dcl_macro(relation, privilege, named)) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do return(written) -%}
{%- endmacro %}

{% macro call_dcl_statements(dcl_statement_list) %}
    {% do return(adapter.dispatch('call_dcl_statements', 'dbt')(dcl_statement_list)) %}
{% endmacro %}

{% macro default__call_dcl_statements(dcl_statement_list) %}
    {% call statement('grants') %}
        {{ dcl_statement_list | join(';\n        ') }};
    {% endcall %}
{% endmacro %}
